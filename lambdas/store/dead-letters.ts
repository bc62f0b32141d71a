import { randomUUID } from "node:crypto";
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Attempt } from "./attempt-log.ts";
import { putItems } from "./batch.ts";
import { isDone } from "./conditional.ts";
import { type DeadLetterItem, fromItem, toItem } from "./dead-letter-item.ts";
import { type LetterPart, partAttributes } from "./dead-letter-parts.ts";
import { readPages } from "./read-pages.ts";
import { isExpired } from "./time-to-live.ts";
import { updateItem } from "./update-item.ts";

/** A message that was given up, with all that is known of why. */
export interface DeadLetter {
  /** The message's id: the first SQS message's, the same in every replay. */
  readonly id: string;
  /** `unknown` where the message names none of the scheme. */
  readonly route: string;
  readonly topic: string | undefined;
  readonly deviceId: string | undefined;
  /** A `ReasonCode`, a `FailureCode`, `RECEIVED_TOO_OFTEN` or `RULE_FAILED`. */
  readonly reason: string;
  /** One line for people. */
  readonly detail: string;
  /** When it was given up, in milliseconds since 1970. */
  readonly at: number;
  /** As it was sent last. */
  readonly request?: {
    readonly method: string;
    readonly path: string;
    readonly headers: readonly (readonly [name: string, value: string])[];
    readonly body: Uint8Array;
    /** The body is empty here because the record would else be larger than an item can be. */
    readonly isBodyLeftOut?: boolean;
  };
  /** The API's last one. */
  readonly answer?: { readonly status: number; readonly body: Uint8Array; readonly isTruncated: boolean };
  readonly attempts: readonly Attempt[];
  /** Body of the SQS message, JSON of an `IngestMessage` as a rule: what a replay sends again. */
  readonly message: string;
  /**
   * The message is not whole: it alone was larger than an item can be, which nothing is that AWS IoT Core takes, or a
   * part of it is missing.
   */
  readonly isMessageCut?: boolean;
  readonly state: DeadLetterState;
  /** Since when it is in this state, in milliseconds since 1970. */
  readonly stateAt: number;
}

/** A dead letter to be recorded; where it is a part of one, `message` has no payload of its own. */
export interface LetterToPut extends DeadLetter {
  readonly part?: LetterPart;
}

/** What became of a dead letter: nothing yet, about to be sent again, sent again, or given up for good. */
export type DeadLetterState = "dead" | "replaying" | "replayed" | "dropped";

/** Which state a dead letter is in, and since when. */
export type DeadLetterMark = Pick<DeadLetter, "id" | "state" | "stateAt">;

/** Which dead letters are wanted; what is absent stands for any. Times are in milliseconds since 1970 and included. */
export interface DeadLetterFilter {
  readonly route?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly reason?: string | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly state?: DeadLetterState | undefined;
}

/** Index of the table by route and time. */
export const byRouteIndex = "byRoute";

export class DeadLetters {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #days: number;
  readonly #now: () => number;

  /**
   * @param days How long one is kept.
   * @param now Milliseconds since 1970.
   */
  constructor(client: DynamoDBDocumentClient, table: string, days: number, now = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#days = days;
    this.#now = now;
  }

  /**
   * Records dead letters. One with the same id is replaced: a replay that dies again is dead again. Of one that comes in
   * parts, each adds its own to the record, in any order and as often as it likes; what was done with it stays.
   *
   * @throws {StoreError}
   */
  async put(letters: readonly LetterToPut[]): Promise<void> {
    const whole = letters.filter(({ part }) => part === undefined);
    const items = whole.map((letter) => toItem(letter, this.#days, this.#now()));
    await putItems(this.#client, this.#table, items, ({ id }) => String(id));
    for (const letter of letters) if (letter.part !== undefined) await this.#putPart(letter, letter.part);
  }

  async #putPart(letter: DeadLetter, part: LetterPart): Promise<void> {
    const item = toItem(letter, this.#days, this.#now());
    const { id, at, state, stateAt, ...rest } = item;
    await updateItem(this.#client, this.#table, {
      key: { id },
      set: { ...rest, ...partAttributes(item, part) },
      compute: {
        at: "if_not_exists(#at, :at)",
        state: "if_not_exists(#state, :state)",
        stateAt: "if_not_exists(#stateAt, :stateAt)",
      },
      values: { at, state, stateAt },
      // A replay that has died again has all of the message.
      condition: "attribute_not_exists(#id) OR attribute_exists(#parts)",
    });
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    const command = new GetCommand({ TableName: this.#table, Key: { id }, ConsistentRead: true });
    const { Item } = await this.#client.send(command);
    return Item === undefined || isExpired(Item, this.#now()) ? undefined : fromItem(Item as DeadLetterItem);
  }

  /**
   * Those of a route oldest first, by an index that is about a second behind; without a route in no order, by reading
   * the whole table.
   */
  async *list(filter: DeadLetterFilter = {}): AsyncGenerator<DeadLetter, void, undefined> {
    const { route, deviceId, reason, state, since = 0, until = Number.MAX_SAFE_INTEGER } = filter;
    const items = readPages({
      ...{ client: this.#client, table: this.#table, index: byRouteIndex, now: this.#now() },
      partition: { name: "route", value: route },
      sort: { name: "at", since, until },
      equal: { deviceId, reason, state },
    });
    for await (const item of items) yield fromItem(item as unknown as DeadLetterItem);
  }

  /**
   * Moves a dead letter to another state, and gives that; undefined where it is not, or no longer, as it was read: of
   * several who want to move it, one does.
   */
  async mark({ id, state, stateAt }: DeadLetterMark, to: DeadLetterState): Promise<DeadLetterMark | undefined> {
    const after = { id, state: to, stateAt: this.#now() };
    const write = this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: { id },
        // Where an answer gets lost the SDK asks again: what it has done itself is not in the way.
        ConditionExpression: "(#state = :from AND #stateAt = :since) OR #markId = :markId",
        UpdateExpression: "SET #state = :to, #stateAt = :at, #markId = :markId",
        ExpressionAttributeNames: { "#state": "state", "#stateAt": "stateAt", "#markId": "markId" },
        ExpressionAttributeValues: {
          ":from": state,
          ":since": stateAt,
          ":to": to,
          ":at": after.stateAt,
          ":markId": randomUUID(),
        },
      }),
    );
    return (await isDone(write)) ? after : undefined;
  }
}
