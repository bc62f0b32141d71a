import { expect, test } from "vitest";
import type { QueuedText } from "../send-batch.ts";
import { handOn } from "./hand-on.ts";

const message = (route: string, bytes = 1, delaySeconds = 0) => ({ route, body: "x".repeat(bytes), delaySeconds });

async function batchesOf(messages: Parameters<typeof handOn>[0]) {
  const batches: [string, readonly QueuedText[]][] = [];
  await handOn(messages, async (route, batch) => void batches.push([route, batch]));
  return batches.map(([route, batch]) => [route, batch.map(({ body }) => body.length)]);
}

test.for([
  [
    Array.from({ length: 23 }, () => message("a")),
    [
      ["a", 10],
      ["a", 10],
      ["a", 3],
    ],
  ],
  [
    [message("a"), message("b"), message("a")],
    [
      ["a", 2],
      ["b", 1],
    ],
  ],
  [
    [message("a", 200_000), message("a", 62_144), message("a", 1)],
    [
      ["a", 2],
      ["a", 1],
    ],
  ],
  [
    [message("a", 10), message("a", 262_144), message("a", 10)],
    [
      ["a", 1],
      ["a", 1],
      ["a", 1],
    ],
  ],
  [[], []],
] as const)("sends as many at one time as SQS takes: case %#", async ([messages, expected]) => {
  const batches = await batchesOf(messages);
  expect(batches.map(([route, sizes]) => [route, sizes?.length])).toEqual(expected);
});

test("delays no message longer than SQS can", async () => {
  const sent: QueuedText[] = [];
  await handOn([message("a", 1, 5), message("a", 1, 3_600)], async (_, batch) => void sent.push(...batch));
  expect(sent.map(({ delaySeconds }) => delaySeconds)).toEqual([5, 900]);
});

test("says that a queue did not take its messages when the others have theirs", async () => {
  const sent: string[] = [];
  const handing = handOn([message("a"), message("b")], async (route) => {
    if (route === "a") throw new Error("no queue a");
    await new Promise(setImmediate);
    sent.push(route);
  });
  await expect(handing).rejects.toThrow("no queue a");
  expect(sent).toEqual(["b"]);
});
