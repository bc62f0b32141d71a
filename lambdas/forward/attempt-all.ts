import type { OpenedMessage } from "./opened-message.ts";
import type { RouteGate } from "./route-gate.ts";

/** The gates of routes, by their names; messages of other routes pass. */
export type Gates = ReadonlyMap<string, Pick<RouteGate, "parallelRequests" | "noteDuration">>;

export interface AttemptAllOptions<Opened, Ended> {
  readonly attempt: (opened: Opened) => Promise<Ended>;
  readonly gates: Gates;
  /** Messages that are under way at one time. */
  readonly parallelRequests: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A message and what is to be done with it. */
export interface Attempted<Opened, Ended> {
  readonly opened: Opened;
  readonly settlement: Ended;
}

/** How often requests that are under way are asked for how long. */
const slowWatchMs = 1_000;

/** Attempts messages side by side: a slow one holds up nothing but its own place, a route that has to be slow no other. */
export async function attemptAll<Opened extends OpenedMessage, Ended>(
  opened: readonly Opened[],
  { attempt, gates, parallelRequests, now }: AttemptAllOptions<Opened, Ended>,
): Promise<readonly Attempted<Opened, Ended>[]> {
  const attempted: Attempted<Opened, Ended>[] = [];
  const underWay = new Map<Opened, number>();
  const waiting = new Waiting(opened, gates, parallelRequests);
  // A taker that finds none may end: those that the others are at come back for what their routes hold back.
  const takers = Array.from({ length: Math.min(parallelRequests, opened.length) }, async () => {
    for (let each = waiting.take(); each !== undefined; each = waiting.take()) {
      underWay.set(each, now());
      attempted.push({ opened: each, settlement: await attempt(each) });
      underWay.delete(each);
      waiting.done(each);
    }
  });
  const watch = setInterval(() => noteSlow(underWay, gates, now()), slowWatchMs);
  await Promise.all(takers);
  clearInterval(watch);
  return attempted;
}

/** Messages in their order, of each route no more at one time than its gate lets through. */
class Waiting<Opened extends OpenedMessage> {
  readonly #messages: Opened[];
  /** How many more of a route may be taken. */
  readonly #free: Map<string, number>;

  constructor(messages: readonly Opened[], gates: Gates, parallelRequests: number) {
    this.#messages = [...messages];
    this.#free = new Map([...gates].map(([route, gate]) => [route, gate.parallelRequests(parallelRequests)]));
  }

  take(): Opened | undefined {
    const index = this.#messages.findIndex(({ routeName }) => this.#free.get(routeName) !== 0);
    const taken = index < 0 ? undefined : this.#messages.splice(index, 1)[0];
    if (taken !== undefined) this.#change(taken, -1);
    return taken;
  }

  done(message: Opened): void {
    this.#change(message, 1);
  }

  #change({ routeName }: Opened, by: 1 | -1): void {
    const free = this.#free.get(routeName);
    if (free !== undefined) this.#free.set(routeName, free + by);
  }
}

function noteSlow(underWay: ReadonlyMap<OpenedMessage, number>, gates: Gates, now: number): void {
  for (const [{ routed, routeName }, startedAt] of underWay) {
    if ("deviceId" in routed) gates.get(routeName)?.noteDuration(routed.deviceId, now - startedAt);
  }
}
