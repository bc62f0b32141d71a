import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { type Item, putItems, readItems } from "./batch.ts";
import { startTables } from "./testing.ts";

const idOf = ({ id }: Item) => String(id);
const items = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `item ${index}`, index }));

/** Lets a table take so many entries of a request at most, and give the others back as unprocessed. */
function throttle(client: DynamoDBDocumentClient, mostOfRequest: number): readonly number[] {
  const taken: number[] = [];
  client.middlewareStack.add(
    (next) => async (args) => {
      const [[table, wanted] = ["", []]] = Object.entries((args.input as Request).RequestItems);
      const isWrite = Array.isArray(wanted);
      const entries = isWrite ? wanted : wanted.Keys;
      const wrap = (part: unknown[]) =>
        part.length === 0 ? {} : { [table]: isWrite ? part : { ...(wanted as object), Keys: part } };
      const part = entries.slice(0, mostOfRequest);
      taken.push(part.length);
      const { output, ...rest } =
        part.length === 0 ? { output: {} } : await next({ ...args, input: { RequestItems: wrap(part) } as never });
      const left = wrap(entries.slice(mostOfRequest));
      return { ...rest, output: { ...output, [isWrite ? "UnprocessedItems" : "UnprocessedKeys"]: left } } as never;
    },
    { step: "initialize" },
  );
  return taken;
}

interface Request {
  readonly RequestItems: Readonly<Record<string, unknown[] | { readonly Keys: unknown[] }>>;
}

test("writes and reads more than one batch takes", async () => {
  const { client, deliveries } = await startTables();
  await putItems(client, deliveries, items(60), idOf);
  const read = await readItems(
    client,
    deliveries,
    [...items(120)].map(({ id }) => ({ id })),
    idOf,
  );
  expect(read).toHaveLength(60);
  expect(new Map(read.map((item) => [item.id, item.index])).get("item 59")).toBe(59);
});

test("of items with one key the last one counts", async () => {
  const { client, deliveries } = await startTables();
  await putItems(
    client,
    deliveries,
    [
      { id: "a", index: 1 },
      { id: "a", index: 2 },
    ],
    idOf,
  );
  expect(await readItems(client, deliveries, [{ id: "a" }, { id: "a" }], idOf)).toEqual([{ id: "a", index: 2 }]);
});

test("asks again for what a table leaves over, after longer and longer pauses", async () => {
  const { client, deliveries } = await startTables();
  const taken = throttle(client, 3);
  const pausesMs: number[] = [];
  const wait = async (pauseMs: number) => pausesMs.push(pauseMs);
  await putItems(client, deliveries, items(10), idOf, wait);
  expect(taken).toEqual([3, 3, 3, 1]);
  expect(pausesMs.map((pauseMs, index) => pauseMs > 25 * 2 ** index - 1 && pauseMs <= 50 * 2 ** index)).toEqual([
    true,
    true,
    true,
  ]);
  const read = await readItems(
    client,
    deliveries,
    items(10).map(({ id }) => ({ id })),
    idOf,
    wait,
  );
  expect(read).toHaveLength(10);
});

test("says what was not written, and what was not read", async () => {
  const { client, deliveries } = await startTables();
  const taken = throttle(client, 0);
  const wait = async () => {};
  await expect(putItems(client, deliveries, items(2), idOf, wait)).rejects.toMatchObject({
    code: "NOT_WRITTEN",
    message: "table test-deliveries: 2 not written in 5 tries: item 0, item 1",
  });
  expect(taken).toHaveLength(5);
  await expect(readItems(client, deliveries, [{ id: "a" }], idOf, wait)).rejects.toMatchObject({ code: "NOT_READ" });
});
