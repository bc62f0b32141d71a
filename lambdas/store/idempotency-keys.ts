import { gunzipSync, gzipSync } from "node:zlib";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { Item } from "./batch.ts";
import { isDone } from "./conditional.ts";
import { maxItemBytes, storedBytes } from "./item-size.ts";
import { expiresIn, isExpired, timeToLiveAttribute } from "./time-to-live.ts";
import { updateItem } from "./update-item.ts";

/** What the ids and times of all that a request makes are derived from: the same at every try of the request. */
export interface Seed {
  /** UUID version 7. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
}

/** What a request was answered. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request that wants to be done once. */
export interface KeyedRequest {
  /** Hash of the key, and of who may use it for what. */
  readonly hash: string;
  /** Hash of what makes two requests with one key the same. */
  readonly fingerprint: string;
  /** Of this try; the first try's counts. */
  readonly seed: Seed;
  /** Until when this try keeps others away, in milliseconds since 1970. */
  readonly lockedUntil: number;
}

/** What a try may do. */
export type Claim =
  | { readonly kind: "claimed"; readonly seed: Seed; readonly hash: string; readonly holder: string }
  | { readonly kind: "done"; readonly answer: KeptAnswer }
  | { readonly kind: "running"; readonly lockedUntil: number }
  | { readonly kind: "reused" }; // with another fingerprint

export type Claimed = Extract<Claim, { kind: "claimed" }>;

/** Days that a key is remembered. */
const keptDays = 1;

/** Longer bodies are kept compressed. */
const plainBytes = 4 * 1024;

/**
 * Idempotency keys of callers, in the commands' table. A key belongs to the first request that comes with it: it runs
 * until it is done, or until its lock is over, which is when whoever ran it is taken for dead and a retry goes on with
 * the same seed.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export class IdempotencyKeys {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  /** @param now Milliseconds since 1970. */
  constructor(client: DynamoDBDocumentClient, table: string, now = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  async claim(request: KeyedRequest): Promise<Claim> {
    const { hash, fingerprint, seed, lockedUntil } = request;
    const id = keyOf(hash);
    // A try's seed is nobody else's, and so names who holds the lock.
    const holder = seed.id;
    const Item = { id, state: "running", fingerprint, seed, lockedUntil, holder, ...expiresIn(keptDays, this.#now()) };
    const put = new PutCommand({
      TableName: this.#table,
      Item,
      ConditionExpression: "attribute_not_exists(id) OR #expiresAt <= :seconds",
      ExpressionAttributeNames: { "#expiresAt": timeToLiveAttribute },
      ExpressionAttributeValues: { ":seconds": Math.floor(this.#now() / 1000) },
    });
    if (await isDone(this.#client.send(put))) return { kind: "claimed", seed, hash, holder };
    const item = await this.#read(id);
    if (item === undefined) throw new Error(`idempotency key ${hash} can neither be written nor read`);
    if (item.fingerprint !== fingerprint) return { kind: "reused" };
    if (item.state === "done") return { kind: "done", answer: toAnswer(item) };
    // Where the answer to the put got lost, the SDK asked again and was refused by what it had written itself.
    if (item.holder === holder) return { kind: "claimed", seed, hash, holder };
    if (Number(item.lockedUntil) > this.#now()) return { kind: "running", lockedUntil: Number(item.lockedUntil) };
    return await this.#takeOver(item, request);
  }

  /**
   * Keeps the answer for whoever comes with the key again; an answer that is larger than an item can be is not kept, and
   * a retry does the same once more with the same seed.
   */
  async finish(claimed: Claimed, { status, headers, body }: KeptAnswer): Promise<void> {
    const set = { status, headers, body: Buffer.byteLength(body) <= plainBytes ? body : gzipSync(body) };
    // What the item has beside is well below the KiB by which the limit is lower than DynamoDB's.
    if (storedBytes(set) > maxItemBytes) return await this.release(claimed);
    await this.#change(claimed, { ...set, state: "done" });
  }

  /** Lets a retry go on at once, with the same seed. */
  async release(claimed: Claimed): Promise<void> {
    await this.#change(claimed, { lockedUntil: 0 });
  }

  async #read(id: string): Promise<Item | undefined> {
    const get = new GetCommand({ TableName: this.#table, Key: { id }, ConsistentRead: true });
    const { Item } = await this.#client.send(get);
    return Item === undefined || isExpired(Item, this.#now()) ? undefined : Item;
  }

  /** Of several who find a key left behind, one goes on. */
  async #takeOver(item: Item, { hash, seed: { id: holder }, lockedUntil }: KeyedRequest): Promise<Claim> {
    const taken = await updateItem(this.#client, this.#table, {
      key: { id: keyOf(hash) },
      set: { holder, lockedUntil },
      condition: "#state = :running AND ((#holder = :before AND #lockedUntil = :over) OR #holder = :holder)",
      values: { running: "running", before: item.holder, over: item.lockedUntil, holder },
    });
    return taken === undefined
      ? { kind: "running", lockedUntil }
      : { kind: "claimed", seed: item.seed as Seed, hash, holder };
  }

  /** Only for who holds the lock: whoever took it over gives the answer. */
  async #change({ hash, holder }: Claimed, set: Item): Promise<void> {
    await updateItem(this.#client, this.#table, {
      key: { id: keyOf(hash) },
      set,
      condition: "#state = :running AND #holder = :holder",
      values: { running: "running", holder },
    });
  }
}

function keyOf(hash: string): string {
  return `key#${hash}`;
}

function toAnswer({ status, headers, body }: Item): KeptAnswer {
  return {
    status: Number(status),
    headers: headers as KeptAnswer["headers"],
    body: body instanceof Uint8Array ? gunzipSync(body).toString() : String(body),
  };
}
