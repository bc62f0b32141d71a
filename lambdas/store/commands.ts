import { type DynamoDBDocumentClient, GetCommand, PutCommand, paginateQuery } from "@aws-sdk/lib-dynamodb";
import { type CommandKind, type CommandState, isEnded } from "../../scheme/command/command.ts";
import type { Item } from "./batch.ts";
import type { CommandRecord, PublishAttempt, RecordedReply } from "./command-record.ts";
import { isDone } from "./conditional.ts";
import { DueItems, dueAttributes, dueNames } from "./due-items.ts";
import { expiresIn, isExpired } from "./time-to-live.ts";
import { type ItemUpdate, updateItem } from "./update-item.ts";

/** Index of the commands' table by device; commands' ids are in the order of their times. */
export const byDeviceIndex = "byDevice";

/** Days that a command is kept after its end. */
const keptDays = 7;

/** Milliseconds from a command's record to the moment at which the sweeper takes it for left behind. */
const graceMs = 10_000;

/** Attempts that a record holds. */
const maxAttempts = 20;

/** What a record begins as. */
export type NewCommand = Pick<CommandRecord, "id" | "deviceId" | "kind" | "body" | "issuedAt" | "deadlineAt">;

/** A reply as it came. */
export interface NewReply extends RecordedReply {
  readonly commandId: string;
  readonly deviceId: string;
}

/** What has become of a reply: it is the first, there was one before, or the device has no such command. */
export type RecordedAnswer =
  | { readonly outcome: "recorded" | "known"; readonly record: CommandRecord }
  | { readonly outcome: "unknown" };

/** What a publication has come to. */
export interface Publication {
  /** Where the command has its place among the states of its device. */
  readonly version?: number;
  /** All attempts there were, or the last ones. */
  readonly attempts: readonly PublishAttempt[];
  /** Milliseconds since 1970, when the first broker acknowledged it; undefined where none has. */
  readonly at: number | undefined;
}

const isPending = "#state IN (:recorded, :published)";
const pendingStates = { recorded: "recorded", published: "published" } as const;

/** The ledger of commands: one item for each, which knows everything that became of it. */
export class CommandLedger {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;
  readonly #dueItems: DueItems;

  /** @param now Milliseconds since 1970. */
  constructor(client: DynamoDBDocumentClient, table: string, now = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
    this.#dueItems = new DueItems(client, table);
  }

  /** Records a command, due for the sweeper should nobody publish it. Gives the record that is there already, if one is. */
  async record(command: NewCommand): Promise<{ readonly record: CommandRecord; readonly isNew: boolean }> {
    const record: CommandRecord = { ...command, state: "recorded", attempts: [] };
    const Item = { ...record, ...dueAttributes(command.id, this.#now() + graceMs) };
    const put = new PutCommand({ TableName: this.#table, Item, ConditionExpression: "attribute_not_exists(id)" });
    if (await isDone(this.#client.send(put))) return { record, isNew: true };
    const known = await this.get(command.id);
    if (known === undefined) throw new Error(`command ${command.id} is neither recorded nor can be`);
    return { record: known, isNew: false };
  }

  async get(id: string): Promise<CommandRecord | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: { id }, ConsistentRead: true }),
    );
    return Item === undefined || !isCommand(Item) || isExpired(Item, this.#now()) ? undefined : fromItem(Item);
  }

  /** A device's commands, newest first, by an index that is about a second behind. */
  async list(deviceId: string, { limit, before }: { limit: number; before?: string }): Promise<CommandRecord[]> {
    const pages = paginateQuery(
      { client: this.#client, pageSize: limit },
      {
        TableName: this.#table,
        IndexName: byDeviceIndex,
        KeyConditionExpression: before === undefined ? "deviceId = :device" : "deviceId = :device AND id < :before",
        ExpressionAttributeValues: { ":device": deviceId, ...(before === undefined ? {} : { ":before": before }) },
        ScanIndexForward: false,
      },
    );
    const records: CommandRecord[] = [];
    for await (const { Items = [] } of pages) {
      records.push(...Items.filter((item) => !isExpired(item, this.#now())).map(fromItem));
      if (records.length >= limit) break;
    }
    return records.slice(0, limit);
  }

  /**
   * Writes down what a publication came to. A command that went further meanwhile, answered or superseded, keeps its
   * state. One that no broker has stays due.
   */
  async notePublication(
    { id, kind }: Pick<CommandRecord, "id" | "kind">,
    { version, attempts, at }: Publication,
  ): Promise<CommandRecord> {
    const set = { version, attempts: attempts.slice(-maxAttempts) };
    const item =
      (at === undefined ? undefined : await this.#publish(id, kind, { ...set, publishedAt: at })) ??
      (await this.#update(id, {
        set,
        ...(at === undefined ? {} : { compute: { publishedAt: "if_not_exists(#publishedAt, :at)" }, values: { at } }),
        condition: "attribute_exists(#id)",
      }));
    if (item === undefined) throw new Error(`command ${id} is not in the ledger any more`);
    return fromItem(item);
  }

  /** A state that is published is not due any more; a request is, at its deadline. */
  #publish(id: string, kind: CommandKind, set: ItemUpdate["set"]): Promise<Item | undefined> {
    return this.#update(id, {
      set: { ...set, state: "published" },
      ...(kind === "state" ? { remove: dueNames } : { compute: { dueAt: "#deadlineAt" } }),
      condition: "#state = :recorded",
      values: { recorded: "recorded" },
    });
  }

  /** Ends a command that is still pending. Gives the record as it is then, undefined where there is none. */
  async end(id: string, state: CommandState): Promise<CommandRecord | undefined> {
    if (!isEnded(state)) throw new Error(`${state} is no end`);
    const item = await this.#update(id, {
      set: { state, endedAt: this.#now(), ...expiresIn(keptDays, this.#now()) },
      remove: dueNames,
      condition: isPending,
      values: pendingStates,
    });
    return item === undefined ? await this.get(id) : fromItem(item);
  }

  /** Records a device's answer. The first one counts; one that comes late is kept beside the state that there is. */
  async recordReply({ commandId, deviceId, ...reply }: NewReply): Promise<RecordedAnswer> {
    const condition = "#deviceId = :device AND attribute_not_exists(#reply)";
    const inTime = await this.#update(commandId, {
      set: { reply, state: reply.status, endedAt: reply.at, ...expiresIn(keptDays, this.#now()) },
      remove: dueNames,
      condition: `${condition} AND ${isPending}`,
      values: { device: deviceId, ...pendingStates },
    });
    const late = inTime ?? (await this.#update(commandId, { set: { reply }, condition, values: { device: deviceId } }));
    if (late !== undefined) return { outcome: "recorded", record: fromItem(late) };
    const record = await this.get(commandId);
    return record?.deviceId === deviceId ? { outcome: "known", record } : { outcome: "unknown" };
  }

  /** Puts off when the sweeper looks at a command again. */
  async postpone(id: string, dueAt: number): Promise<void> {
    await this.#update(id, { set: { dueAt }, condition: "attribute_exists(#due)" });
  }

  /** A device's requests that still wait for an answer, oldest first. */
  async openRequestsOf(deviceId: string): Promise<readonly CommandRecord[]> {
    const pages = paginateQuery(
      { client: this.#client },
      {
        TableName: this.#table,
        IndexName: byDeviceIndex,
        KeyConditionExpression: "deviceId = :device",
        FilterExpression: "kind = :request AND deadlineAt > :now AND #state IN (:recorded, :published)",
        ExpressionAttributeNames: { "#state": "state" },
        ExpressionAttributeValues: {
          ...{ ":device": deviceId, ":request": "request", ":now": this.#now() },
          ...{ ":recorded": "recorded", ":published": "published" },
        },
      },
    );
    const records: CommandRecord[] = [];
    for await (const { Items = [] } of pages) records.push(...Items.map(fromItem));
    return records;
  }

  /** Devices with requests that are published and wait for an answer; of very many, some. */
  async openRequests(): Promise<{ readonly deviceIds: ReadonlySet<string>; readonly isLarge: boolean }> {
    const { items, isLarge } = await this.#dueItems.after(this.#now(), { kind: "request", state: "published" });
    return { deviceIds: new Set(items.map(({ deviceId }) => String(deviceId))), isLarge };
  }

  #update(id: string, update: Omit<ItemUpdate, "key">): Promise<Item | undefined> {
    return updateItem(this.#client, this.#table, { key: { id }, ...update });
  }
}

/** The table holds other items too, whose keys have a `#` that no command's id has. */
function isCommand({ id }: Item): boolean {
  return !String(id).includes("#");
}

function fromItem(item: Item): CommandRecord {
  const { due, dueAt, expiresAt, ...record } = item;
  return record as unknown as CommandRecord;
}
