import { expect, test } from "vitest";
import { encodeCommand, readReply } from "../scheme/command/command-message.ts";
import { defineScheme } from "../scheme/define-scheme.ts";
import { startGenerated } from "../test/support/mosquitto.ts";
import { connectAs } from "../test/support/mqtt-client.ts";
import { Drivers } from "./drivers.ts";

const scheme = defineScheme({
  name: "sample",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/{fleet}/{deviceId}/location", qos: 1 },
    health: { topic: "v1/{fleet}/{deviceId}/health", qos: 0 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  brokers: [{ url: "mqtts://broker.example.com:8883" }],
});

test("drivers obey the command that waits for them, and answer by their own ids", { timeout: 10_000 }, async () => {
  await using broker = await startGenerated(scheme, () => ({
    services: { engine: "trestle.engine", publisher: "trestle.push" },
  }));
  await using push = await connectAs(broker.url, "trestle.push");
  await using engine = await connectAs(broker.url, "trestle.engine");
  await engine.subscribe(["v1/#", "Push/Replies/+"]);
  const issuedAt = Date.now();
  const stop = {
    kind: "state",
    version: 1,
    issuedAt,
    body: '{"command":"track","args":{"isTracking":false}}',
  } as const;
  await push.publish("Push/SDKControls/d1", encodeCommand({ ...stop, commandId: "c1" }), { retain: true });

  await using _drivers = await Drivers.start(broker.url, 2, scheme);
  const locate = { kind: "request", issuedAt, body: '{"command":"locate"}' } as const;
  await push.publish("Push/SDKControls/d2", encodeCommand({ ...locate, commandId: "c2" }));
  await push.publish("Push/SDKControls/d2", encodeCommand({ ...locate, commandId: "c3", body: '{"command":"hide"}' }));

  const replyTo = async (commandId: string) => {
    const { topic, payload } = await engine.until(({ payload }) => payload.includes(`"commandId":"${commandId}"`));
    const { status, body } = readReply({ payload });
    return [topic, status, JSON.parse(body)];
  };
  expect(await replyTo("c1")).toEqual(["Push/Replies/d1", "succeeded", expect.objectContaining({ isTracking: false })]);
  expect(await replyTo("c2")).toEqual(["Push/Replies/d2", "succeeded", expect.objectContaining({ lat: 52.52 })]);
  expect(await replyTo("c3")).toEqual(["Push/Replies/d2", "failed", expect.stringContaining('"hide" is no command')]);

  // Health comes after three seconds: by then one who tracks has sent where it is.
  await engine.until(({ topic }) => topic === "v1/sample/d1/health");
  const located = new Set(engine.messages.map(({ topic }) => topic).filter((topic) => topic.endsWith("/location")));
  expect([...located]).toEqual(["v1/sample/d2/location"]);
});
