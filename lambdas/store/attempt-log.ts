import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type Item, putItems, readItems } from "./batch.ts";
import { expiresIn, isExpired } from "./time-to-live.ts";

/** One failed attempt to deliver a message. */
export interface Attempt {
  /** Milliseconds since 1970, when it began. */
  readonly at: number;
  readonly code: string;
  /** Of the answer; absent where none came. */
  readonly status?: number;
}

/** A day longer than SQS keeps a message. */
const keptDays = 15;

/**
 * The attempts of messages that failed, so that their number outlives functions, holds and outages; how often SQS
 * handed a message out says something else.
 */
export class AttemptLog {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  /** @param now Milliseconds since 1970. */
  constructor(client: DynamoDBDocumentClient, table: string, now = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  /**
   * The attempts of messages by their ids. A message without any is not in it.
   *
   * @throws {StoreError}
   */
  async read(ids: readonly string[]): Promise<ReadonlyMap<string, readonly Attempt[]>> {
    const keys = ids.map((id) => ({ id: keyOf(id) }));
    const items = await readItems(this.#client, this.#table, keys, idOf);
    const now = this.#now();
    return new Map(
      items
        .filter((item) => !isExpired(item, now))
        .map((item) => [idOf(item).slice(prefix.length), item.attempts as Attempt[]]),
    );
  }

  /** Replaces the attempts of messages, by their ids. @throws {StoreError} */
  async write(entries: ReadonlyMap<string, readonly Attempt[]>): Promise<void> {
    const end = expiresIn(keptDays, this.#now());
    const items = [...entries].map(([id, attempts]) => ({ id: keyOf(id), attempts, ...end }));
    await putItems(this.#client, this.#table, items, idOf);
  }
}

const prefix = "message#";

function keyOf(id: string): string {
  return prefix + id;
}

function idOf(item: Item): string {
  return String(item.id);
}
