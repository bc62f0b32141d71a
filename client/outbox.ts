import { ClientError } from "./client-error.ts";
import type { PublishProperties, Qos } from "./client-options.ts";
import type { Connection } from "./connection.ts";

/** A message on its way to the broker. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly qos: Qos;
  readonly isRetained: boolean;
  readonly properties?: PublishProperties | undefined;
  /** Called when the broker has it, or with why it does not. */
  settle(error?: ClientError): void;
}

/** What a connection does for messages. */
export type Wire = Pick<Connection, "publish" | "receiveMaximum" | "hasUnsent" | "cut">;

const defaultMaxInFlight = 1_000;

/** Connections that a message may be lost with: one that the broker answers by ending the connection has to end. */
const maxConnections = 2;

interface Flight {
  /** Connections that were lost while it was on its way. */
  readonly losses: number;
  isWithdrawn: boolean;
  /** Withdrawn because of its time limit. */
  isOverdue: boolean;
}

/**
 * Messages that the broker has not acknowledged, in their order. Here is the only memory of them: `mqtt` gets one when
 * it may be sent at once, and each connection has an `mqtt` client of its own, so that what is withdrawn here is never
 * sent later.
 */
export class Outbox {
  readonly #maxInFlight: number;
  #connection: Wire | undefined;
  /** With the number of connections that each was lost with. */
  #waiting = new Map<Outgoing, number>();
  #inFlight = new Map<Outgoing, Flight>();
  #overdue = 0;

  constructor(maxInFlight: number = defaultMaxInFlight) {
    this.#maxInFlight = maxInFlight;
  }

  get isAttached(): boolean {
    return this.#connection !== undefined;
  }

  send(outgoing: Outgoing): void {
    if (this.#waiting.size === 0 && this.#hasRoom()) this.#launch(outgoing, 0);
    else this.#waiting.set(outgoing, 0);
  }

  /**
   * Nobody waits for the message any more: it is not sent, or not sent again.
   *
   * @param isLate Whether it came to its time limit. If a part of what was written is still in this process, it would
   *   leave it later: the connection is ended with it.
   */
  withdraw(outgoing: Outgoing, isLate: boolean): void {
    this.#waiting.delete(outgoing);
    const flight = this.#inFlight.get(outgoing);
    if (flight === undefined || flight.isWithdrawn) return;
    // The broker counts it until it acknowledges it: its place is not free.
    flight.isWithdrawn = true;
    if (!isLate) return;
    flight.isOverdue = true;
    this.#overdue += 1;
    const limit = this.#limit();
    if (this.#connection?.hasUnsent) {
      this.#connection.cut("a message came to its time limit before all of it was sent");
    } else if (this.#overdue * 2 > limit) {
      this.#connection?.cut(
        `${this.#overdue} of ${limit} messages that may be in flight were not acknowledged in time`,
      );
    }
  }

  attach(connection: Wire): void {
    this.#connection = connection;
    this.#fill();
  }

  /** The connection is lost: what was in flight waits for the next one, before all others. */
  detach(reason: ClientError): void {
    this.#connection = undefined;
    const flights = this.#inFlight;
    const waiting = this.#waiting;
    this.#inFlight = new Map();
    this.#waiting = new Map();
    this.#overdue = 0;
    const lost: Outgoing[] = [];
    for (const [outgoing, { losses, isWithdrawn }] of flights) {
      if (isWithdrawn) continue;
      if (losses + 1 < maxConnections) this.#waiting.set(outgoing, losses + 1);
      else lost.push(outgoing);
    }
    for (const [outgoing, losses] of waiting) this.#waiting.set(outgoing, losses);
    for (const { topic, settle } of lost) {
      const problem = `${maxConnections} connections were lost while a message on ${topic} was on its way`;
      settle(new ClientError("CLIENT_DISCONNECTED", `${problem}: ${reason.message}`, { cause: reason }));
    }
  }

  end(error: ClientError): void {
    const all = [...this.#inFlight.keys(), ...this.#waiting.keys()];
    this.#inFlight.clear();
    this.#waiting.clear();
    for (const { settle } of all) settle(error);
  }

  #limit(): number {
    return Math.min(this.#maxInFlight, this.#connection?.receiveMaximum ?? 0);
  }

  #hasRoom(): boolean {
    return this.#connection !== undefined && this.#inFlight.size < this.#limit();
  }

  #fill(): void {
    for (const [outgoing, losses] of this.#waiting) {
      if (!this.#hasRoom()) return;
      this.#waiting.delete(outgoing);
      this.#launch(outgoing, losses);
    }
  }

  #launch(outgoing: Outgoing, losses: number): void {
    const connection = this.#connection;
    const flight = { losses, isWithdrawn: false, isOverdue: false };
    this.#inFlight.set(outgoing, flight);
    connection?.publish(outgoing, (error) => {
      if (connection !== this.#connection || !this.#inFlight.delete(outgoing)) return;
      if (flight.isOverdue) this.#overdue -= 1;
      if (!flight.isWithdrawn) outgoing.settle(error);
      this.#fill();
    });
  }
}
