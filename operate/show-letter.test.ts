import { expect, test } from "vitest";
import type { DeadLetter } from "../lambdas/store/dead-letters.ts";
import { showLetter } from "./show-letter.ts";

const letter: DeadLetter = {
  id: "0af76519-16cd-43dd-8448-eb211c80319c",
  route: "location",
  topic: "v1/drivers/d42/location",
  deviceId: "d42",
  reason: "HTTP_422",
  detail: "the API answered 422",
  at: Date.parse("2026-01-31T12:00:01Z"),
  request: {
    method: "POST",
    path: "/v1/drivers/d42/location",
    headers: [
      ["authorization", "Bearer hush"],
      ["cookie", "session=hush"],
      ["x-tenant", "acme\u001b[2J"],
    ],
    body: Buffer.from('{"lat":1.0}'),
  },
  answer: { status: 422, body: Buffer.from([0xff, 0x00]), isTruncated: true },
  attempts: [{ at: Date.parse("2026-01-31T12:00:00Z"), code: "HTTP_422", status: 422 }],
  message: '{"data":"e30="}',
  state: "dead",
  stateAt: Date.parse("2026-01-31T12:00:01Z"),
};

test("shows all that is known, and no credential", () => {
  expect(showLetter(letter).join("\n")).toBe(`id      0af76519-16cd-43dd-8448-eb211c80319c
route   location
device  d42
topic   v1/drivers/d42/location
reason  HTTP_422: the API answered 422
died    2026-01-31T12:00:01.000Z
state   dead

attempts
  1  2026-01-31T12:00:00.000Z  HTTP_422

request
  POST /v1/drivers/d42/location
  authorization: (masked)
  cookie: (masked)
  x-tenant: acme\\u001b[2J

  {"lat":1.0}

answer  422  (the first 2 bytes)
  base64: /wA=

message, as a replay sends it
  {"data":"e30="}`);
});

test("says what is not known", () => {
  const { request: _request, answer: _answer, ...rest } = letter;
  const lines = showLetter({ ...rest, topic: undefined, deviceId: undefined, attempts: [], state: "replayed" });
  expect(lines).toContain("topic   (not known)");
  expect(lines).toContain("device  (not known)");
  expect(lines).toContain("attempts: none is known");
  expect(lines).toContain("state   replayed 2026-01-31T12:00:01.000Z");
  expect(lines.join("\n")).not.toContain("request");
});
