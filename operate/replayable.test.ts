import { expect, test } from "vitest";
import { ingestMessage, testScheme } from "../lambdas/forward/test-message.ts";
import { toReplay } from "./replayable.ts";

const { routes } = testScheme;

test("a replay is the message with its first id", () => {
  const message = ingestMessage();
  const replay = toReplay({ id: "m1", route: "location", message: JSON.stringify(message) }, routes);
  expect(replay).toEqual({ kind: "message", route: "location", body: JSON.stringify({ ...message, id: "m1" }) });
});

test("a replay of a replay keeps the id", () => {
  const message = JSON.stringify(ingestMessage({ id: "m1" }));
  const replay = toReplay({ id: "m1", route: "location", message }, routes);
  expect(replay.kind === "message" && JSON.parse(replay.body)).toEqual(ingestMessage({ id: "m1" }));
});

test.for([
  ["unknown", JSON.stringify(ingestMessage()), "the scheme has no route 'unknown'"],
  ["health", JSON.stringify(ingestMessage({ route: "health" })), "route health is QoS 0, which has no queue"],
  ["location", "rubbish", "it is not what a topic rule writes"],
  ["location", "[1]", "it is not what a topic rule writes"],
] as const)("of route %s, %s cannot be replayed", ([route, message, reason]) => {
  expect(toReplay({ id: "m1", route, message }, routes)).toEqual({ kind: "impossible", reason });
});
