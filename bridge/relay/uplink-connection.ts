import { defaultReconnectDelay, reconnectDelayMs, stableMs } from "../../client/backoff.ts";
import { readBrokerUrl } from "../../client/broker-url.ts";
import type { ClientError } from "../../client/client-error.ts";
import type { ClientOptions } from "../../client/client-options.ts";
import { Connection } from "../../client/connection.ts";
import type { RelayCounts } from "./counts.ts";
import { type Pace, Pacer } from "./pace.ts";
import { bytesOf, type Parcel, type ParcelQueue } from "./parcel.ts";

/** In a round trip of a second at the worst, a PUBACK that has not come by then was never sent. */
export const defaultAcknowledgeWithinMs = 20_000;

/** Where IoT Core is, and what the relay is to it. */
export interface CloudOptions {
  /** `mqtts://host:port`. */
  readonly url: string;
  /** Of the first connection; the others have `:2`, `:3` and so on behind it. */
  readonly clientId: string;
  readonly tls?: ClientOptions["tls"];
  /**
   * Milliseconds that a PUBACK may take, 20,000 by default, or a quarter of that where publishes that were sent so much later
   * have theirs. Then the pace is halved, and another connection made.
   */
  readonly acknowledgeWithinMs?: number;
  /** Between attempts to connect, by full jitter; 1,000 to 30,000 by default. Never less than IoT Core's second. */
  readonly reconnectDelay?: { readonly minMs: number; readonly maxMs: number };
  /** Milliseconds without trouble until a halved pace is raised by a step, 5,000 by default. */
  readonly raiseAfterMs?: number;
}

export interface UplinkConnectionOptions extends Omit<CloudOptions, "clientId"> {
  readonly clientId: string;
  readonly pace: Pace;
  readonly queue: ParcelQueue;
  readonly counts: RelayCounts;
  readonly log: (line: string) => void;
  /** Told when a connection is there, and when it is lost. */
  readonly changed: () => void;
}

/** IoT Core's limit: a client id connects once a second. */
const leastReconnectMs = 1_000;
/** Shortest that AWS knows: a dead peer is noticed after one and a half times of it. */
const keepAliveSeconds = 30;
/** Until a publish that was refused is sent again. */
const rejectedMs = 1_000;

interface Flight {
  readonly parcel: Parcel;
  readonly sentAt: number;
}

/** One client id at IoT Core, connected again and again: takes parcels from the queue and publishes them at its pace. */
export class UplinkConnection {
  readonly clientId: string;
  readonly #options: UplinkConnectionOptions;
  readonly #pacer: Pacer;
  readonly #inFlight = new Set<Flight>();
  readonly #unsubscribe: () => void;
  readonly #watch: NodeJS.Timeout;
  readonly #acknowledgeWithinMs: number;
  readonly #lookEveryMs: number;
  #lookedAt = performance.now();
  #connection: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #calmSince = performance.now();
  /** When the newest of the publishes was sent that have a PUBACK. */
  #newestAnswered = 0;
  /**
   * Whether the connection before this one brought no PUBACK: something that was sent may be why. Then one publish is sent at a
   * time, until one is acknowledged.
   */
  #isCareful = false;
  /** Whether the connection was given up and has not ended yet. */
  #isCut = false;
  #isRetiring = false;
  #isEnding = false;
  #wake: () => void = () => {};
  readonly #ended: Promise<void>;

  constructor(options: UplinkConnectionOptions) {
    this.clientId = options.clientId;
    this.#options = options;
    this.#pacer = new Pacer(options.pace);
    this.#unsubscribe = options.queue.whenAdded(() => this.#pump());
    this.#acknowledgeWithinMs = options.acknowledgeWithinMs ?? defaultAcknowledgeWithinMs;
    this.#lookEveryMs = Math.min(1_000, this.#acknowledgeWithinMs / 4);
    this.#watch = setInterval(() => this.#look(), this.#lookEveryMs);
    this.#ended = this.#run();
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Of the full pace. */
  get share(): number {
    return this.#pacer.share;
  }

  get unacknowledged(): number {
    return this.#inFlight.size;
  }

  /** Takes nothing more, and ends when what it has sent is acknowledged. */
  async retire(): Promise<void> {
    this.#isRetiring = true;
    if (this.#inFlight.size === 0) void this.end();
    await this.#ended;
  }

  /** Ends at once. What was not acknowledged is back in the queue. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#wake();
    await this.#connection?.end();
    await this.#ended;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#isEnding; ) {
      const beganAt = performance.now();
      try {
        const connection = await this.#connect();
        this.#up(connection);
        const reason = await connection.lost;
        const hasCarried = this.#newestAnswered > beganAt;
        this.#down(reason, hasCarried);
        // One that has carried something is no reason to wait longer for the next.
        if (hasCarried || performance.now() - beganAt > stableMs) attempt = 0;
      } catch (error) {
        this.#options.log(`iot core: ${(error as Error).message}`);
      }
      const { reconnectDelay = defaultReconnectDelay } = this.#options;
      const backoffMs = reconnectDelayMs(attempt, Math.random(), reconnectDelay);
      await this.#pause(Math.max(backoffMs, beganAt + leastReconnectMs - performance.now()));
      attempt += 1;
    }
    clearInterval(this.#watch);
    clearTimeout(this.#timer);
    this.#unsubscribe();
  }

  async #connect(): Promise<Connection> {
    const { url, tls, clientId } = this.#options;
    const connection = await Connection.open({
      broker: readBrokerUrl(url),
      client: { keepAliveSeconds, ...(tls === undefined ? {} : { tls }) },
      ...{ clientId, protocolVersion: 5, take: () => {} },
    });
    if (this.#isEnding) await connection.end();
    return connection;
  }

  #up(connection: Connection): void {
    this.#connection = connection;
    this.#isCut = false;
    this.#options.counts.connects += 1;
    this.#options.changed();
    this.#pump();
  }

  #down(reason: ClientError, hasCarried: boolean): void {
    this.#connection = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lost = [...this.#inFlight].map(({ parcel }) => parcel);
    this.#inFlight.clear();
    // It is not known whether they have arrived: at QoS 0 they count as gone.
    for (const parcel of lost) if (parcel.qos === 0) parcel.settle("dropped");
    const again = lost.filter(({ qos }) => qos === 1);
    this.#options.counts.resent += again.length;
    if (!this.#isEnding) this.#options.log(`iot core: ${this.clientId}: ${reason.message}`);
    if (this.#isRetiring) this.#isEnding = true;
    this.#options.changed();
    if (this.#isCareful) this.#queueBehind(again);
    else this.#options.queue.putBack(again);
    this.#isCareful = !hasCarried && (again.length > 0 || this.#isCareful);
  }

  /** What may be the reason for which IoT Core ends connections does not go first each time: the others get through. */
  #queueBehind(parcels: readonly Parcel[]): void {
    for (const parcel of parcels) this.#options.queue.add({ ...parcel, isUrgent: false });
  }

  /** Sends what may be sent now, and comes back when more may. */
  #pump(): void {
    const { queue, pace } = this.#options;
    const connection = this.#connection;
    if (connection === undefined || this.#timer !== undefined || this.#isRetiring || this.#isEnding) return;
    const window = this.#isCareful ? 1 : Math.min(pace.maxUnacknowledged, connection.receiveMaximum);
    while (queue.length > 0 && this.#inFlight.size < window) {
      const now = performance.now();
      const waitMs = this.#pacer.waitMs(now);
      if (waitMs > 0) {
        this.#pumpIn(waitMs);
        return;
      }
      const parcel = queue.take();
      if (parcel === undefined) return;
      this.#pacer.spend(bytesOf(parcel), now);
      this.#send(connection, parcel, now);
    }
  }

  #pumpIn(waitMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, Math.ceil(waitMs));
  }

  #send(connection: Connection, parcel: Parcel, now: number): void {
    const { counts } = this.#options;
    const flight = { parcel, sentAt: now };
    this.#inFlight.add(flight);
    counts.publishes += 1;
    counts.publishedBytes += bytesOf(parcel);
    const { topic, payload, qos, properties } = parcel;
    connection.publish({ topic, payload, qos, properties, isRetained: false, settle: () => {} }, (error) => {
      if (!this.#inFlight.delete(flight)) return;
      if (error === undefined) parcel.settle("sent");
      else this.#reject(parcel, error);
      this.#newestAnswered = Math.max(this.#newestAnswered, now);
      this.#isCareful = false;
      if (this.#isRetiring && this.#inFlight.size === 0) void this.end();
      this.#pump();
    });
  }

  /** A quota is a reason to slow down; anything else is a mistake in a policy, say, that somebody has to mend. */
  #reject(parcel: Parcel, error: ClientError): void {
    const { counts, log, queue } = this.#options;
    counts.rejected += 1;
    if (counts.rejected === 1 || counts.rejected % 100 === 0) log(`iot core: ${error.message}; it is sent again`);
    if (error.isRetryable) this.#slowDown();
    setTimeout(() => queue.putBack([parcel]), rejectedMs);
  }

  /** A PUBACK that does not come means a publish that was discarded, or a connection that leads nowhere. */
  #look(): void {
    const { raiseAfterMs = 5_000, counts } = this.#options;
    const acknowledgeWithinMs = this.#acknowledgeWithinMs;
    const now = performance.now();
    const sinceMs = now - this.#lookedAt;
    this.#lookedAt = now;
    // A process that was busy or frozen itself has not read what came meanwhile: it judges nobody by that.
    if (this.#isCut || sinceMs > 2 * this.#lookEveryMs) return;
    const [oldest] = this.#inFlight;
    const sentAt = oldest?.sentAt ?? now;
    if (now - sentAt > acknowledgeWithinMs || this.#newestAnswered - sentAt > acknowledgeWithinMs / 4) {
      this.#isCut = true;
      this.#slowDown();
      counts.stalls += 1;
      const waitedMs = Math.round(now - sentAt);
      this.#connection?.cut(`no PUBACK for ${waitedMs} ms; ${this.#inFlight.size} publishes are sent again`);
    } else if (this.#pacer.share < 1 && now - this.#calmSince > raiseAfterMs) {
      this.#calmSince = now;
      this.#pacer.raise();
    }
  }

  #slowDown(): void {
    this.#calmSince = performance.now();
    this.#pacer.halve();
  }

  #pause(ms: number): Promise<void> {
    if (this.#isEnding) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
