import { expect, test } from "vitest";
import { handoverMs } from "./doubt.ts";
import { Tally } from "./tally.ts";

const settleMs = 2_000;

test("tells what is missing", () => {
  const { tally, receive } = tallyAt();
  for (const number of [0, 1, 2, 3]) tally.acknowledge(number);
  for (const number of [1, 2, 4]) receive("a", number); // 4 before its PUBACK
  expect(tally.missing()).toEqual([0, 3]);
  expect(tally.missing(new Set([3]))).toEqual([0]);
  expect(tally).toMatchObject({ acknowledged: 4, received: 3, undelivered: 1 });
});

test("a message that comes twice without a cause is unexplained", () => {
  const { tally, receive } = tallyAt();
  receive("a");
  receive("a");
  expect(tally.unexplained).toEqual([0]);
  expect(tally.duplicates.size).toBe(0);
});

test("another key is not explained by a doubt", () => {
  const { tally, receive } = tallyAt();
  receive("a");
  tally.doubt(0, "reset");
  receive("b");
  expect(tally.changedKeys).toEqual([0]);
});

test("a doubt explains one more request, and no third", () => {
  const { tally, receive } = tallyAt();
  receive("a");
  tally.doubt(0, "hang");
  receive("a");
  expect(tally.unexplained).toEqual([]);
  receive("a");
  expect(tally.unexplained).toEqual([0]);
  expect(tally.duplicates).toEqual(new Map([["hang", 1]]));
});

test("a connection that is seen to be closed afterwards explains what came meanwhile", () => {
  const { tally, receive } = tallyAt();
  receive("a");
  receive("a");
  tally.doubt(0, "closed");
  expect(tally.unexplained).toEqual([]);
  expect(tally.duplicates).toEqual(new Map([["closed", 1]]));
});

test("a kill of the engine makes doubtful what came shortly before, and until it runs again", () => {
  const { tally, receive, clock } = tallyAt();
  receive("a", 0);
  clock.now += settleMs + 1;
  receive("a", 1);
  tally.noteEngineKilled(settleMs);
  receive("a", 2);
  tally.noteEngineRunning();
  receive("a", 3);
  for (const number of [0, 1, 2, 3]) receive("a", number);
  expect(tally.duplicates).toEqual(new Map([["engineKilled", 2]]));
  expect(tally.unexplained).toEqual([0, 3]);
});

test("after a kill of the engine the broker may repeat what it had not handed over for long, with the same key", () => {
  const { tally, receive, clock } = tallyAt();
  const acknowledge = (number: number) => {
    tally.published += 1;
    tally.acknowledge(number);
    receive("a", number);
  };
  acknowledge(0);
  clock.now += handoverMs + 1;
  acknowledge(1);
  clock.now += settleMs + 1;
  tally.noteEngineKilled(settleMs);
  tally.noteEngineRunning();
  acknowledge(2);
  for (const number of [0, 1, 2]) receive("a", number);
  expect(tally.duplicates).toEqual(new Map([["redelivered", 1]]));
  expect(tally.unexplained).toEqual([0, 2]);
  // Another kill follows before the engine has had the time to take what waited.
  tally.noteEngineKilled(settleMs);
  receive("b", 1);
  expect(tally.changedKeys).toEqual([1]);
});

test("after a kill of the broker its devices' repetitions have keys of their own, once each", () => {
  const { tally, receive, clock } = tallyAt();
  tally.published = 2;
  tally.acknowledge(0);
  receive("a", 0);
  clock.now += handoverMs + 1;
  receive("a", 1); // without a PUBACK
  tally.noteBrokerKilled();
  for (const number of [0, 1, 1]) receive("b", number);
  expect(tally.renamed).toBe(1);
  expect(tally.changedKeys).toEqual([0, 1]);
});

function tallyAt() {
  const clock = { now: 0 };
  const tally = new Tally(5, () => clock.now);
  const receive = (idempotencyKey: string, messageNumber = 0) => tally.receive({ messageNumber, idempotencyKey });
  return { clock, tally, receive };
}
