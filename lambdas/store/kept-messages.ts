import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type Item, putItems } from "./batch.ts";
import { maxItemBytes, storedBytes } from "./item-size.ts";
import { readPages } from "./read-pages.ts";
import { fromStored, type StoredBytes, toStored } from "./stored-bytes.ts";
import { expiresIn } from "./time-to-live.ts";

/** A message as its device sent it. */
export interface KeptMessage {
  /** The message's id: the first SQS message's, the same in every replay. */
  readonly id: string;
  readonly route: string;
  readonly topic: string;
  readonly deviceId: string;
  readonly qos: number;
  /** Milliseconds since 1970, when its topic rule ran. */
  readonly receivedAt: number;
  /** MQTT client id of the connection that it came by: behind a bridge the bridge's. Undefined where there was none. */
  readonly broker: string | undefined;
  readonly payload: Uint8Array;
  /** Body of the SQS message, for a replay. */
  readonly message: string;
  /** The payload is empty here because the item would else be too large; the message has it too. */
  readonly isPayloadLeftOut?: boolean;
  /** The message is empty too: it alone was larger than an item can be, which nothing is that AWS IoT Core takes. */
  readonly isMessageLeftOut?: boolean;
}

/** Which messages are wanted; what is absent stands for any. Times are in milliseconds since 1970 and included. */
export interface KeptMessageFilter {
  readonly route?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** A kept message as its table has it. */
interface KeptMessageItem extends Omit<KeptMessage, "payload" | "broker"> {
  readonly broker?: string;
  readonly payload: StoredBytes;
  /** Sort key: time and id. */
  readonly position: string;
  readonly expiresAt: number;
}

/** The end of the year 9999, up to which times sort as their texts do. */
const lastTime = Date.UTC(10_000, 0) - 1;

/** The store of messages of routes that keep them. */
export class KeptMessages {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  /** @param now Milliseconds since 1970. */
  constructor(client: DynamoDBDocumentClient, table: string, now = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  /** Keeps messages, each for its days. The same again changes nothing but its end. @throws {StoreError} */
  async put(messages: readonly (readonly [message: KeptMessage, days: number])[]): Promise<void> {
    const now = this.#now();
    const items = messages.map(([message, days]) => toItem(message, days, now));
    await putItems(this.#client, this.#table, items, ({ deviceId, position }) => `${deviceId} ${position}`);
  }

  /** Those of a device oldest first; without a device in no order, by reading the whole table. */
  async *list(filter: KeptMessageFilter = {}): AsyncGenerator<KeptMessage, void, undefined> {
    const { route, deviceId, since = 0, until = lastTime } = filter;
    const items = readPages({
      ...{ client: this.#client, table: this.#table, now: this.#now() },
      partition: { name: "deviceId", value: deviceId },
      // After `#` comes `$`: with every id of that time.
      sort: { name: "position", since: isoTime(since), until: `${isoTime(until)}$` },
      equal: { route },
    });
    for await (const item of items) yield fromItem(item as unknown as KeptMessageItem);
  }
}

function toItem(message: KeptMessage, days: number, now: number): Item {
  const { id, route, topic, deviceId, qos, receivedAt, broker, payload, message: body } = message;
  const item = {
    ...{ deviceId, position: `${isoTime(receivedAt)}#${id}`, id, route, topic: topic.toWellFormed(), qos, receivedAt },
    ...(broker === undefined ? {} : { broker: broker.toWellFormed() }),
    ...{ payload: toStored(payload), message: body.toWellFormed() },
    ...expiresIn(days, now),
  };
  if (storedBytes(item) <= maxItemBytes) return item;
  const shorter = { ...item, payload: "", isPayloadLeftOut: true };
  return storedBytes(shorter) <= maxItemBytes ? shorter : { ...shorter, message: "", isMessageLeftOut: true };
}

function fromItem(item: KeptMessageItem): KeptMessage {
  const { id, route, topic, deviceId, qos, receivedAt, broker, payload, message } = item;
  return {
    ...{ id, route, topic, deviceId, qos, receivedAt, broker, payload: fromStored(payload), message },
    ...(item.isPayloadLeftOut === true ? { isPayloadLeftOut: true } : {}),
    ...(item.isMessageLeftOut === true ? { isMessageLeftOut: true } : {}),
  };
}

function isoTime(at: number): string {
  return new Date(Math.min(Math.max(at, 0), lastTime)).toISOString();
}
