import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Item } from "./batch.ts";
import { isDone } from "./conditional.ts";

/** What all execution environments know of a route. Times are in milliseconds since 1970, 0 for never. */
export interface RouteState {
  /** The circuit is open: nothing is attempted. */
  readonly isOpen: boolean;
  /** Why it was opened; absent where it is closed. */
  readonly reason?: string;
  readonly openedAt: number;
  readonly closedAt: number;
  /** When an open circuit may first be probed. */
  readonly probeAt: number;
  /** Until when the API wants to be left alone. */
  readonly holdUntil: number;
  readonly lastSuccessAt: number;
  /** Devices whose messages wait, and until when. */
  readonly waitingDevices: ReadonlyMap<string, number>;
  /** Devices whose messages leave the fresh lane, and until when. */
  readonly slowDevices: ReadonlyMap<string, number>;
}

/** Why a device is treated apart: the API wants it to wait, or takes long over its messages. */
export type DeviceHold = "waiting" | "slow";

/** Devices of one kind that a route remembers; an execution environment knows more of its own. */
const maxDevices = 50;

/** The states of routes: one item each, with an attribute of its own for each device, so that writers do not collide. */
export class RouteStates {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  /** @param now Milliseconds since 1970. */
  constructor(client: DynamoDBDocumentClient, table: string, now = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  async read(route: string): Promise<RouteState> {
    const item = await this.#read(route);
    const time = (name: string) => (typeof item[name] === "number" ? item[name] : 0);
    return {
      isOpen: item.isOpen === true,
      ...(typeof item.reason === "string" ? { reason: item.reason } : {}),
      openedAt: time("openedAt"),
      closedAt: time("closedAt"),
      probeAt: time("probeAt"),
      holdUntil: time("holdUntil"),
      lastSuccessAt: time("lastSuccessAt"),
      waitingDevices: devicesOf(item, "waiting"),
      slowDevices: devicesOf(item, "slow"),
    };
  }

  /**
   * Opens a route's circuit. Where it is open already, its probe is at most put off.
   *
   * @returns Whether it was closed before. False too where it was and the first answer got lost: the SDK asks again.
   */
  async open(route: string, { reason, probeAt }: { reason: string; probeAt: number }): Promise<boolean> {
    const wasClosed = await this.#update(route, {
      condition: "attribute_not_exists(isOpen) OR isOpen = :false",
      update: "SET isOpen = :true, reason = :reason, openedAt = :now, probeAt = :probeAt",
      values: { ":false": false, ":true": true, ":reason": reason, ":now": this.#now(), ":probeAt": probeAt },
    });
    if (!wasClosed) await this.#raise(route, "probeAt", probeAt);
    return wasClosed;
  }

  /** @returns Whether it was open before, as far as the answer did not get lost. */
  async close(route: string): Promise<boolean> {
    return await this.#update(route, {
      condition: "isOpen = :true",
      update: "SET isOpen = :false, closedAt = :now REMOVE reason",
      values: { ":false": false, ":true": true, ":now": this.#now() },
    });
  }

  /** Holds a route until a time, unless it is held for longer. */
  async hold(route: string, until: number): Promise<void> {
    await this.#raise(route, "holdUntil", until);
  }

  /**
   * Treats a device apart until a time, unless it is for longer. At most 50 devices of a kind are remembered: those that
   * are over are forgotten, and of too many the one that ends first.
   */
  async holdDevice(route: string, deviceId: string, kind: DeviceHold, until: number): Promise<void> {
    const before = [...devicesOf(await this.#read(route), kind)].filter(([device]) => device !== deviceId);
    const latestFirst = before.sort(([, one], [, other]) => other - one);
    const kept = latestFirst.filter(([, end]) => end > this.#now()).slice(0, maxDevices - 1);
    await this.#raise(
      route,
      attributeOf(kind, deviceId),
      until,
      before.slice(kept.length).map(([device]) => attributeOf(kind, device)),
    );
  }

  /** Notes a success, unless a later one is known. */
  async noteSuccess(route: string, at: number): Promise<void> {
    await this.#raise(route, "lastSuccessAt", at);
  }

  /** Sets a time where it is later than the one that is there, and removes other attributes with it. */
  async #raise(route: string, attribute: string, at: number, removed: readonly string[] = []): Promise<void> {
    const names = Object.fromEntries(removed.map((name, index) => [`#removed${index}`, name]));
    const removal = removed.length === 0 ? "" : ` REMOVE ${Object.keys(names).join(", ")}`;
    await this.#update(route, {
      condition: "attribute_not_exists(#time) OR #time < :at",
      update: `SET #time = :at${removal}`,
      names: { "#time": attribute, ...names },
      values: { ":at": at },
    });
  }

  async #read(route: string): Promise<Item> {
    const command = new GetCommand({ TableName: this.#table, Key: keyOf(route), ConsistentRead: true });
    return (await this.#client.send(command)).Item ?? {};
  }

  #update(route: string, { condition, update, names, values }: ConditionalUpdate): Promise<boolean> {
    return isDone(
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: keyOf(route),
          ConditionExpression: condition,
          UpdateExpression: update,
          ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
          ExpressionAttributeValues: values,
        }),
      ),
    );
  }
}

interface ConditionalUpdate {
  readonly condition: string;
  readonly update: string;
  readonly names?: Record<string, string>;
  readonly values: Record<string, unknown>;
}

function keyOf(route: string): { readonly id: string } {
  return { id: `route#${route}` };
}

function attributeOf(kind: DeviceHold, deviceId: string): string {
  return `${kind}:${deviceId}`;
}

function devicesOf(item: Item, kind: DeviceHold): ReadonlyMap<string, number> {
  const prefix = attributeOf(kind, "");
  return new Map(
    Object.entries(item).flatMap(([name, until]) =>
      name.startsWith(prefix) && typeof until === "number" ? [[name.slice(prefix.length), until] as const] : [],
    ),
  );
}
