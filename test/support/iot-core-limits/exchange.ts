import type { Clock } from "./clock.ts";
import type { ConnectPacket } from "./connect-packet.ts";
import type { Discard, Ending } from "./endings.ts";
import type { Faults } from "./faults.ts";
import type { Limits } from "./limits.ts";
import type { Policy } from "./policy.ts";
import type { PublishPacket } from "./publish-packet.ts";
import { SlidingSecond } from "./rates.ts";
import type { Tally } from "./tally.ts";

/** What all connections share; a test changes limits and faults while they run. */
export interface Shared {
  limits: Limits;
  faults: Faults;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly tally: Tally;
  /** Told of each publish that does not end its connection: whether it passed, or why it was discarded. */
  readonly onPublish?: ((publish: PublishPacket, discard: Discard | undefined) => void) | undefined;
}

/** What a connection can do to itself. */
export interface Line {
  /** Ends the connection, in MQTT 5 with the reason's code. */
  end(reason: Ending): void;
  toClient(bytes: Uint8Array): void;
  toBroker(bytes: Uint8Array): void;
}

/** What is known of one connection in both directions. */
export class Exchange {
  readonly shared: Shared;
  readonly version: 4 | 5;
  readonly clientId: string;
  readonly askedKeepAliveSeconds: number;
  /** Publishes in and out. */
  readonly publishes = new SlidingSecond();
  /** Packet identifiers of the client's publishes that the broker behind has not acknowledged. */
  readonly unacknowledged = new Set<number>();
  /** Those of which the PUBACK is to be lost. */
  readonly toForget = new Set<number>();
  readonly filters = new Set<string>();

  constructor(shared: Shared, { version, clientId, keepAliveSeconds }: ConnectPacket) {
    this.shared = shared;
    this.version = version;
    this.clientId = clientId;
    this.askedKeepAliveSeconds = keepAliveSeconds;
  }

  /** By IoT Core's bounds; 0, for none, counts as the longest. */
  get keepAliveSeconds(): number {
    const { minKeepAliveSeconds, maxKeepAliveSeconds } = this.shared.limits;
    const asked = this.askedKeepAliveSeconds === 0 ? maxKeepAliveSeconds : this.askedKeepAliveSeconds;
    return Math.min(Math.max(asked, minKeepAliveSeconds), maxKeepAliveSeconds);
  }

  /** Whether one more publish may cross now, and counts it if so. */
  takePublish(): boolean {
    const { limits, clock } = this.shared;
    return this.publishes.take(limits.publishesPerSecond, clock.now());
  }
}
