import { setTimeout as sleep } from "node:timers/promises";
import { BatchGetCommand, BatchWriteCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { StoreError, type StoreErrorCode } from "./store-error.ts";

/** An item, or its key, in JavaScript's own types. */
export type Item = Record<string, unknown>;

/** Waits so many milliseconds. */
export type Wait = (milliseconds: number) => Promise<unknown>;

/** Most items of one `BatchWriteItem`. Of the largest they are 10 MB, below its limit of 16 MB. */
const putsOfBatch = 25;
/** Most keys of one `BatchGetItem`. */
const keysOfBatch = 100;

/** Before each further try of what a batch left over: 50, 100, 200 and 400 ms, 0.75 s together. */
const pausesMs = [50, 100, 200, 400];

/**
 * Puts items into a table, in batches. Of items with the same key the last one counts.
 *
 * @throws {StoreError} `NOT_WRITTEN`, with the keys of what is not; everything else is written.
 */
export async function putItems(
  client: DynamoDBDocumentClient,
  table: string,
  items: readonly Item[],
  keyOf: (item: Item) => string,
  wait: Wait = sleep,
): Promise<void> {
  const distinct = [...new Map(items.map((item) => [keyOf(item), item])).values()];
  for (const chunk of chunks(distinct, putsOfBatch)) {
    const left = await untilDone(chunk, wait, async (rest) => {
      const Puts = rest.map((Item) => ({ PutRequest: { Item } }));
      const { UnprocessedItems } = await client.send(new BatchWriteCommand({ RequestItems: { [table]: Puts } }));
      return (UnprocessedItems?.[table] ?? []).flatMap(({ PutRequest }) => PutRequest?.Item ?? []);
    });
    refuse("NOT_WRITTEN", left.map(keyOf), table);
  }
}

/**
 * Reads items by their keys, consistently; those that are not there are not in the result.
 *
 * @throws {StoreError} `NOT_READ`
 */
export async function readItems(
  client: DynamoDBDocumentClient,
  table: string,
  keys: readonly Item[],
  keyOf: (key: Item) => string,
  wait: Wait = sleep,
): Promise<Item[]> {
  const items: Item[] = [];
  const distinct = [...new Map(keys.map((key) => [keyOf(key), key])).values()];
  for (const chunk of chunks(distinct, keysOfBatch)) {
    const left = await untilDone(chunk, wait, async (Keys) => {
      const RequestItems = { [table]: { Keys, ConsistentRead: true } };
      const { Responses, UnprocessedKeys } = await client.send(new BatchGetCommand({ RequestItems }));
      items.push(...(Responses?.[table] ?? []));
      return UnprocessedKeys?.[table]?.Keys ?? [];
    });
    refuse("NOT_READ", left.map(keyOf), table);
  }
  return items;
}

/** Asks for all, then for what was left over, and gives what is left over at the end. */
async function untilDone(all: Item[], wait: Wait, ask: (rest: Item[]) => Promise<Item[]>): Promise<readonly Item[]> {
  let left = await ask(all);
  for (const pauseMs of pausesMs) {
    if (left.length === 0) break;
    // Spread, so that those who were refused together do not come together again.
    await wait(pauseMs * (0.5 + Math.random() / 2));
    left = await ask(left);
  }
  return left;
}

function refuse(code: StoreErrorCode, keys: readonly string[], table: string): void {
  if (keys.length === 0) return;
  const verb = code === "NOT_WRITTEN" ? "written" : "read";
  throw new StoreError(
    code,
    `table ${table}: ${keys.length} not ${verb} in ${pausesMs.length + 1} tries: ${keys.join(", ")}`,
  );
}

function* chunks<Entry>(entries: readonly Entry[], size: number): Generator<Entry[]> {
  for (let begin = 0; begin < entries.length; begin += size) yield entries.slice(begin, begin + size);
}
