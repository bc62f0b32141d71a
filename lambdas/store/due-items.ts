import { type DynamoDBDocumentClient, paginateQuery, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Item } from "./batch.ts";

/** Sparse index of the commands' table: what the sweeper has to look at, by the time at which it has to. */
export const byDueIndex = "byDue";

/** A partition of an index takes 1,000 writes a second; a command is written to this one twice. */
const shards = ["due-0", "due-1", "due-2", "due-3"] as const;

/** Of each partition, in one look at all that is due later: 4 MB, tens of thousands of items. */
const maxPages = 4;

/** Something to be looked at. */
export interface DueItem {
  /** The item's key in the table. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
}

/** The attributes by which an item is due at a time, in milliseconds since 1970. */
export function dueAttributes(id: string, dueAt: number): { readonly due: string; readonly dueAt: number } {
  let sum = 0;
  for (const character of id) sum += character.charCodeAt(0);
  return { due: shards[sum % shards.length] ?? shards[0], dueAt };
}

/** Their names: without them an item is not in the index. */
export const dueNames = ["due", "dueAt"] as const;

/** Reads the index, which is about a second behind its table. */
export class DueItems {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** What is due by a time, the longest first, at most `limit` of each partition of the index. */
  async until(now: number, limit: number): Promise<readonly DueItem[]> {
    const pages = await Promise.all(
      shards.map((shard) =>
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            IndexName: byDueIndex,
            KeyConditionExpression: "due = :shard AND dueAt <= :now",
            ExpressionAttributeValues: { ":shard": shard, ":now": now },
            Limit: limit,
          }),
        ),
      ),
    );
    const items = pages.flatMap(({ Items = [] }) => Items) as unknown as DueItem[];
    return items.toSorted((one, other) => one.dueAt - other.dueAt);
  }

  /**
   * Items that are due after a time and have these values; of very many, those of the first pages.
   *
   * @returns With whether there are more than one page of some partition, about 1 MB, which is much to read often.
   */
  async after(
    now: number,
    equal: Readonly<Record<"kind" | "state", string>>,
  ): Promise<{ readonly items: readonly Item[]; readonly isLarge: boolean }> {
    const pages = await Promise.all(shards.map((shard) => this.#pagesAfter(shard, now, equal)));
    return { items: pages.flat(2), isLarge: pages.some(({ length }) => length > 1) };
  }

  async #pagesAfter(
    shard: string,
    now: number,
    equal: Readonly<Record<"kind" | "state", string>>,
  ): Promise<readonly (readonly Item[])[]> {
    const query = {
      TableName: this.#table,
      IndexName: byDueIndex,
      KeyConditionExpression: "due = :shard AND dueAt > :now",
      FilterExpression: "kind = :kind AND #state = :state",
      ExpressionAttributeNames: { "#state": "state" },
      ExpressionAttributeValues: { ":shard": shard, ":now": now, ":kind": equal.kind, ":state": equal.state },
    };
    const pages: Item[][] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) {
      pages.push(Items);
      if (pages.length === maxPages) break;
    }
    return pages;
  }
}
