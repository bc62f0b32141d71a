import { expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import { pushLines } from "./push-lines.ts";

const routes = { health: { topic: "v1/{deviceId}/health", qos: 0 } } as const;
const commands = { topic: "Push/{deviceId}", replies: "Replies/{deviceId}" };
const feeds = { orders: { topic: "orders/{orderId}" } };
const api = { url: "https://api.example.com" };
const brokers = [{ url: "mqtts://a.example.com:8883" }, { url: "mqtts://b.example.com:8883" }];
const served = { url: "http://127.0.0.1:18832", token: "t0ken" };

test("people see where commands are given, with what, and a line to try", () => {
  const scheme = defineScheme({ name: "acme", api, routes, commands, brokers: brokers.slice(1) });
  expect(pushLines(scheme, served)).toEqual([
    "push      http://127.0.0.1:18832   token t0ken",
    "  curl http://127.0.0.1:18832/devices/d1/commands -H 'authorization: Bearer t0ken' -H 'content-type: application/json' " +
      `-d '{"command":"track","args":{"isTracking":true,"transmissionSeconds":5}}'`,
  ]);
});

test("a broker that stands for several says so, and without commands there is something else to try", () => {
  const scheme = defineScheme({ name: "acme", api, routes, feeds, brokers });
  expect(pushLines(scheme, served)).toEqual([
    "push      http://127.0.0.1:18832   token t0ken",
    "  curl http://127.0.0.1:18832/openapi.json -H 'authorization: Bearer t0ken'",
    "  this broker stands for the 2 of the scheme",
  ]);
});

test("a scheme without commands and feeds has nothing to say", () => {
  expect(pushLines(defineScheme({ name: "acme", api, routes }), undefined)).toEqual([]);
});
