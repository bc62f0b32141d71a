import type { Discard, Ending, OtherEnding, Refusal } from "./endings.ts";

/** What went through, since the start. */
export interface Counts {
  /** CONNECTs that were let in. */
  connects: number;
  refused: Partial<Record<Refusal, number>>;
  ended: Partial<Record<Ending | OtherEnding, number>>;
  /** Publishes of clients, those that ended their connection among them. */
  received: number;
  /** Publishes of clients that the broker has got. */
  passed: number;
  discarded: Partial<Record<Discard, number>>;
  /** PUBACKs that clients have got. */
  acknowledged: number;
  /** PUBACKs that a fault kept from them. */
  forgotten: number;
  /** Bytes of packets from clients, their TLS not counted. */
  receivedBytes: number;
  /** Publishes to clients. */
  delivered: number;
  /** Publishes that clients did not get: QoS 0 above the rate, and retained ones that a wildcard selected. */
  undelivered: number;
  /** Times that a connection was made to wait because of its bytes. */
  delays: number;
}

/** Counts, and tells whoever waits for a count. */
export class Tally {
  readonly counts: Counts = {
    connects: 0,
    refused: {},
    ended: {},
    received: 0,
    passed: 0,
    discarded: {},
    acknowledged: 0,
    forgotten: 0,
    receivedBytes: 0,
    delivered: 0,
    undelivered: 0,
    delays: 0,
  };
  readonly #waiting = new Set<() => void>();

  /** Counts one of what has a reason. */
  add<Reason extends string>(kind: Partial<Record<Reason, number>>, reason: Reason): void {
    kind[reason] = (kind[reason] ?? 0) + 1;
  }

  /** To be called when counts have changed. */
  changed(): void {
    for (const look of this.#waiting) look();
  }

  async until(isReached: (counts: Counts) => boolean): Promise<Counts> {
    const { promise, resolve } = Promise.withResolvers<Counts>();
    const look = () => {
      if (isReached(this.counts)) resolve(this.counts);
    };
    this.#waiting.add(look);
    look();
    return await promise.finally(() => this.#waiting.delete(look));
  }
}
