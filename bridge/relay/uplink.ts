import type { RelayCounts } from "./counts.ts";
import type { Pace } from "./pace.ts";
import { type Parcel, ParcelQueue } from "./parcel.ts";
import { type CloudOptions, UplinkConnection } from "./uplink-connection.ts";

export interface UplinkOptions {
  readonly cloud: CloudOptions;
  readonly pace: Pace;
  /** Connections at most. */
  readonly maxConnections: number;
  /** Milliseconds between two looks at how many connections are needed; 1,000 by default. */
  readonly scaleEveryMs?: number;
  readonly counts: RelayCounts;
  readonly log: (line: string) => void;
}

/** 90,000 messages a second in full frames. */
export const defaultMaxConnections = 10;

/** Work that waits for longer than this, in seconds, is worth another connection. */
const longWaitSeconds = 1;
/** Looks in a row that have to say so. */
const looksToGrow = 2;
const looksToShrink = 60;

/** The connections to IoT Core, as many as the load needs, and what waits for them. */
export class Uplink implements AsyncDisposable {
  readonly #options: UplinkOptions;
  readonly #queue: ParcelQueue;
  readonly #connections: UplinkConnection[] = [];
  readonly #retiring = new Set<UplinkConnection>();
  readonly #timer: NodeJS.Timeout;
  #busyLooks = 0;
  #idleLooks = 0;
  #before = { publishes: 0, bytes: 0 };

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#queue = new ParcelQueue(options.pace);
    this.#open();
    this.#timer = setInterval(() => this.#scale(), options.scaleEveryMs ?? 1_000);
  }

  get isConnected(): boolean {
    return this.#connections.some(({ isConnected }) => isConnected);
  }

  get connections(): readonly Pick<UplinkConnection, "clientId" | "isConnected" | "share" | "unacknowledged">[] {
    return this.#connections;
  }

  /** Publishes that wait for a connection's turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  get unacknowledged(): number {
    return [...this.#connections, ...this.#retiring].reduce((sum, { unacknowledged }) => sum + unacknowledged, 0);
  }

  send(parcel: Parcel): void {
    // What may be lost does not wait for the end of an outage.
    if (parcel.qos === 0 && !this.isConnected) parcel.settle("dropped");
    else this.#queue.add(parcel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#connections, ...this.#retiring].map((connection) => connection.end()));
  }

  /** Under the lowest number that is free: a connection that retires keeps its own until it has ended. */
  #open(): void {
    const { cloud, pace, counts, log } = this.#options;
    const taken = new Set([...this.#connections, ...this.#retiring].map(({ clientId }) => clientId));
    let number = 1;
    while (taken.has(clientIdOf(cloud.clientId, number))) number += 1;
    this.#connections.push(
      new UplinkConnection({
        ...cloud,
        clientId: clientIdOf(cloud.clientId, number),
        ...{ pace, counts, log, queue: this.#queue },
        changed: () => this.#changed(),
      }),
    );
  }

  #changed(): void {
    if (this.isConnected) return;
    for (const parcel of this.#queue.takeQos0()) parcel.settle("dropped");
  }

  #scale(): void {
    const { maxConnections, pace, counts, scaleEveryMs = 1_000 } = this.#options;
    const connected = this.#connections.filter(({ isConnected }) => isConnected);
    const publishes = counts.publishes - this.#before.publishes;
    const bytes = counts.publishedBytes - this.#before.bytes;
    this.#before = { publishes: counts.publishes, bytes: counts.publishedBytes };
    // An outage is no load: connections that cannot be made are not what is missing.
    if (connected.length < this.#connections.length) return;
    const share = connected.reduce((sum, connection) => sum + connection.share, 0);
    const isBusy = this.#queue.seconds > longWaitSeconds * share;
    const usedSeconds = Math.max(publishes / pace.publishesPerSecond, bytes / pace.bytesPerSecond);
    const secondsOfOthers = ((this.#connections.length - 1) * scaleEveryMs) / 1_000;
    const isIdle = this.#queue.length === 0 && usedSeconds < secondsOfOthers / 2;
    this.#busyLooks = isBusy ? this.#busyLooks + 1 : 0;
    this.#idleLooks = isIdle ? this.#idleLooks + 1 : 0;
    if (this.#busyLooks >= looksToGrow && this.#connections.length < maxConnections) {
      this.#busyLooks = 0;
      this.#open();
    } else if (this.#idleLooks >= looksToShrink && this.#connections.length > 1) {
      this.#idleLooks = 0;
      this.#retire();
    }
  }

  #retire(): void {
    const connection = this.#connections.pop();
    if (connection === undefined) return;
    this.#retiring.add(connection);
    void connection.retire().then(() => this.#retiring.delete(connection));
  }
}

function clientIdOf(clientId: string, number: number): string {
  return number === 1 ? clientId : `${clientId}:${number}`;
}
