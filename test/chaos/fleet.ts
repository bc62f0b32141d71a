import type { Route, Scheme } from "../../scheme/scheme.ts";
import { deviceIdLevel, fillTemplate } from "../../scheme/topic-template.ts";

/** A numbered message: who sends it, where to, and how the API can tell. */
export interface FleetMessage {
  readonly deviceId: string;
  readonly topic: string;
  readonly payload: string;
  /** The key that the API must see where the device names one; Trestle's own choice otherwise. */
  readonly idempotencyKey: string | undefined;
}

/** Devices that share out the numbered messages; a message's number tells everything about it. */
export class Fleet {
  readonly deviceIds: readonly string[];
  readonly #routes: readonly Route[];

  constructor(scheme: Scheme, devices: number) {
    this.deviceIds = Array.from({ length: devices }, (_, index) => `d${index + 1}`);
    this.#routes = [...scheme.routes.values()].filter(({ qos, where }) => qos === 1 && where === undefined);
    if (this.#routes.length === 0) throw new Error(`'${scheme.name}' has no route of QoS 1 that takes every message`);
  }

  /**
   * Devices take turns by number, and each alternates between the routes. At each turn every second device names its
   * message; of a device's own, every two of four are named.
   */
  message(number: number): FleetMessage {
    const index = number % this.deviceIds.length;
    const turn = Math.floor(number / this.deviceIds.length);
    const deviceId = this.deviceIds[index] ?? "";
    const route = this.#routes[turn % this.#routes.length];
    const hasOwnKey = (index + Math.floor(turn / 2)) % 2 === 1;
    const header = hasOwnKey ? `{"idempotency-key":"${number}"}` : "{}";
    return {
      deviceId,
      topic:
        route === undefined ? "" : fillTemplate(route.topic, (level) => (level === deviceIdLevel ? deviceId : "chaos")),
      payload: `{"header":${header},"body":{"number":${number},"lat":52.520008,"lon":13.404954}}`,
      idempotencyKey: hasOwnKey ? `${deviceId}/${number}` : undefined,
    };
  }
}

/** The number in a body that a fleet sent. */
export function numberIn(body: string): number | undefined {
  const digits = /^\{"number":(\d+),/.exec(body)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
