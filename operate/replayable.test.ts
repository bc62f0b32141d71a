import { expect, test } from "vitest";
import { ingestMessage, testScheme } from "../lambdas/forward/test-message.ts";
import { ingestSources } from "../scheme/ingest.ts";
import { toReplay } from "./replayable.ts";

const sources = ingestSources(testScheme);

test("a replay is the message with its first id", () => {
  const message = ingestMessage();
  const replay = toReplay({ id: "m1", route: "location", message: JSON.stringify(message) }, sources);
  expect(replay).toEqual({ kind: "message", route: "location", body: JSON.stringify({ ...message, id: "m1" }) });
});

test("a device's reply to a command can be replayed", () => {
  const message = ingestMessage({ route: "replies", topic: "Push/Replies/d42" });
  const letter = { id: "m1", route: "replies", message: JSON.stringify(message) };
  const body = JSON.stringify({ ...message, id: "m1" });
  expect(toReplay(letter, sources)).toEqual({ kind: "message", route: "replies", body });
  const reason = "the scheme has no route 'replies'";
  expect(toReplay(letter, testScheme.routes)).toEqual({ kind: "impossible", reason });
});

test("a replay of a replay keeps the id", () => {
  const message = JSON.stringify(ingestMessage({ id: "m1" }));
  const replay = toReplay({ id: "m1", route: "location", message }, sources);
  expect(replay.kind === "message" && JSON.parse(replay.body)).toEqual(ingestMessage({ id: "m1" }));
});

test.for([
  ["unknown", JSON.stringify(ingestMessage()), "the scheme has no route 'unknown'"],
  ["health", JSON.stringify(ingestMessage({ route: "health" })), "route health is QoS 0, which has no queue"],
  ["location", "rubbish", "it is not what a topic rule writes"],
  ["location", "[1]", "it is not what a topic rule writes"],
] as const)("of route %s, %s cannot be replayed", ([route, message, reason]) => {
  expect(toReplay({ id: "m1", route, message }, sources)).toEqual({ kind: "impossible", reason });
});

test("what SQS takes can be replayed, and no more", () => {
  const replay = (payloadBytes: number) => {
    const message = JSON.stringify(ingestMessage({}, "x".repeat(payloadBytes)));
    return toReplay({ id: "m1", route: "location", message }, sources);
  };
  expect(replay(262_144).kind).toBe("message"); // as large as a relay hands on
  expect(replay(786_432)).toEqual({
    kind: "impossible",
    reason: expect.stringMatching(/^it takes 1048\d{3} bytes in a queue, the limit is 1048576$/),
  });
});

test("a message that is not whole is not replayed", () => {
  const letter = { id: "m1", route: "location", message: JSON.stringify(ingestMessage()), isMessageCut: true };
  expect(toReplay(letter, sources)).toMatchObject({ kind: "impossible" });
});
