import { type DynamoDBDocumentClient, GetCommand, paginateScan } from "@aws-sdk/lib-dynamodb";
import type { Item } from "./batch.ts";
import type { CommandRecord, DeviceRecord } from "./command-record.ts";
import { dueAttributes, dueNames } from "./due-items.ts";
import { type ItemUpdate, updateItem } from "./update-item.ts";

/** What a device is to be, as one item: the newest state command, which brokers have it, and who publishes it. */
export interface DeviceState extends DeviceRecord {
  /** The command that was the newest before, or the clearing. */
  readonly previousId: string | undefined;
  /** The newest command's or clearing's. */
  readonly newestId: string | undefined;
  /** When that was issued, in milliseconds since 1970; 0 where there is none. */
  readonly newestAt: number;
  /** Who took the lease last and did not give it back. */
  readonly leaseOwner: string | undefined;
}

/** What takes the place of the newest command: another, or nothing where the state is cleared. */
export interface Advance {
  readonly id: string;
  readonly issuedAt: number;
  /** JSON text; undefined clears. */
  readonly body: string | undefined;
}

/** Who publishes a device's state, and until when nobody else does. */
export interface Lease {
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** What became of a lease at its end. */
export type Released =
  | { readonly kind: "released"; readonly device: DeviceState }
  | { readonly kind: "newer"; readonly device: DeviceState } // it is held still: another command came meanwhile
  | { readonly kind: "lost" }; // it was over: another may have published between

/** Milliseconds after which the sweeper looks at a device whose brokers do not all have its newest command. */
const graceMs = 10_000;

const copyPrefix = "copy:";
const keyPrefix = "device#";
const isFree = "(attribute_not_exists(#leaseUntil) OR #leaseUntil < :now)";

/**
 * The states of devices. A version and its command are written in one step, so that they are always those of the newest
 * command; the lease keeps two publishers from passing one another on the way to the broker.
 */
export class DeviceStates {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  /** @param now Milliseconds since 1970. */
  constructor(client: DynamoDBDocumentClient, table: string, now = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  async get(deviceId: string): Promise<DeviceState> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: keyOf(deviceId), ConsistentRead: true }),
    );
    return fromItem(deviceId, Item ?? {});
  }

  /**
   * Makes a command the newest and takes the lease, if nobody holds it. One that is the newest already stays as it is.
   *
   * A version is one more than the one before; the first one is the time, so that a ledger that was lost and began
   * anew does not fall behind what devices have seen.
   */
  async advance(
    deviceId: string,
    { id, issuedAt, body }: Advance,
    lease: Lease,
  ): Promise<{ readonly device: DeviceState; readonly hasLease: boolean }> {
    const now = this.#now();
    const update = {
      set: { newestId: id, issuedAt, body, ...dueAttributes(keyPrefix + deviceId, now + graceMs) },
      remove: body === undefined ? ["body"] : [],
      compute: {
        version: "if_not_exists(#version, :base) + :one",
        // Both sides of an update see the item as it was before.
        previousId: "if_not_exists(#newestId, :none)",
      },
      values: { id, base: now - 1, one: 1, none: "" },
    };
    const isAnother = "(attribute_not_exists(#newestId) OR #newestId <> :id)";
    const withLease = await this.#update(deviceId, {
      ...update,
      set: { ...update.set, leaseOwner: lease.owner, leaseUntil: lease.until },
      condition: `${isAnother} AND ${isFree}`,
      values: { ...update.values, now },
    });
    if (withLease !== undefined) return { device: withLease, hasLease: true };
    const without = await this.#update(deviceId, { ...update, condition: isAnother });
    const device = without ?? (await this.get(deviceId));
    // Where an answer got lost the SDK asked again, and was told that it had done it already.
    return { device, hasLease: device.leaseOwner === lease.owner };
  }

  /** Takes the lease where nobody holds it, undefined where somebody does. */
  async takeLease(deviceId: string, { owner, until }: Lease): Promise<DeviceState | undefined> {
    return await this.#update(deviceId, {
      set: { leaseOwner: owner, leaseUntil: until },
      condition: `attribute_exists(#version) AND ${isFree}`,
      values: { now: this.#now() },
    });
  }

  /**
   * Gives the lease back, with what brokers have acknowledged under it, if the version that was published is still the
   * newest; else the lease stays, until `until`.
   *
   * @param isEverywhere Every broker has this version: there is nothing to be done for this device.
   */
  async release(
    { deviceId, version }: DeviceState,
    { owner, until }: Lease,
    acknowledged: readonly string[],
    isEverywhere: boolean,
  ): Promise<Released> {
    const copies = Object.fromEntries(acknowledged.map((broker) => [copyPrefix + broker, version]));
    const isMine = "#leaseOwner = :owner";
    const released = await this.#update(deviceId, {
      set: copies,
      remove: ["leaseOwner", "leaseUntil", ...(isEverywhere ? dueNames : [])],
      condition: `${isMine} AND #version = :version`,
      values: { owner, version },
    });
    if (released !== undefined) return { kind: "released", device: released };
    const newer = await this.#update(deviceId, {
      set: { ...copies, leaseUntil: until },
      condition: isMine,
      values: { owner },
    });
    return newer === undefined ? { kind: "lost" } : { kind: "newer", device: newer };
  }

  /** Puts off when the sweeper looks at a device again. */
  async postpone(deviceId: string, dueAt: number): Promise<void> {
    await this.#update(deviceId, { set: { dueAt }, condition: "attribute_exists(#due)" });
  }

  /** Every device that has a state, in no order, page by page; the whole table is read for it. */
  async *all(): AsyncGenerator<readonly string[]> {
    const pages = paginateScan(
      { client: this.#client },
      {
        TableName: this.#table,
        FilterExpression: "begins_with(id, :prefix) AND attribute_exists(version)",
        ExpressionAttributeValues: { ":prefix": keyPrefix },
        ProjectionExpression: "id",
      },
    );
    for await (const { Items = [] } of pages) yield Items.map(({ id }) => deviceIdOf(String(id)) ?? "");
  }

  async #update(deviceId: string, update: Omit<ItemUpdate, "key">): Promise<DeviceState | undefined> {
    const item = await updateItem(this.#client, this.#table, { key: keyOf(deviceId), ...update });
    return item === undefined ? undefined : fromItem(deviceId, item);
  }
}

/** The device that an item of the commands' table is of; undefined for a command. */
export function deviceIdOf(id: string): string | undefined {
  return id.startsWith(keyPrefix) ? id.slice(keyPrefix.length) : undefined;
}

function keyOf(deviceId: string): Item {
  return { id: keyPrefix + deviceId };
}

function fromItem(deviceId: string, item: Item): DeviceState {
  const { version, newestId, previousId, leaseOwner, body, issuedAt } = item;
  const command = { id: newestId, body, issuedAt } as Pick<CommandRecord, "id" | "body" | "issuedAt">;
  return {
    deviceId,
    version: typeof version === "number" ? version : 0,
    command: typeof body === "string" ? command : undefined,
    copies: new Map(
      Object.entries(item).flatMap(([name, copy]) =>
        name.startsWith(copyPrefix) && typeof copy === "number" ? [[name.slice(copyPrefix.length), copy] as const] : [],
      ),
    ),
    newestId: typeof newestId === "string" ? newestId : undefined,
    newestAt: typeof issuedAt === "number" ? issuedAt : 0,
    leaseOwner: typeof leaseOwner === "string" ? leaseOwner : undefined,
    previousId: typeof previousId === "string" && previousId !== "" ? previousId : undefined,
  };
}
