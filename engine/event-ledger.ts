import type { AsynchronousEvents, EventAmounts } from "./services/asynchronous-events.ts";
import type { LedgerEntry, LedgerLine } from "./services/ledger.ts";

/** How often the ledger is told of messages that are in memory only. */
const writeMs = 1_000;

/**
 * Messages of QoS 0 in the ledger. They are in memory only, so that no row speaks of them: what has become of them is
 * written now and then, and what waits or runs is written as dropped. After a crash that is what it is.
 */
export class EventLedger implements Disposable {
  readonly #sources: () => Iterable<AsynchronousEvents>;
  readonly #count: (entry: LedgerEntry) => void;
  #timer: NodeJS.Timeout | undefined;
  /** By account. */
  #written: ReadonlyMap<string, EventAmounts> = new Map();

  constructor(sources: () => Iterable<AsynchronousEvents>, count: (entry: LedgerEntry) => void) {
    this.#sources = sources;
    this.#count = count;
  }

  start(): void {
    this.#timer = setInterval(() => this.write(), writeMs).unref();
  }

  /** Tells the ledger what has changed since the last time. */
  write(): void {
    const now = this.#sum();
    for (const [account, amounts] of now) {
      const before = this.#written.get(account) ?? none;
      const received = amounts.received - before.received;
      const delivered = amounts.delivered - before.delivered;
      const dropped = amounts.dropped + amounts.pending - (before.dropped + before.pending);
      if (received !== 0 || delivered !== 0 || dropped !== 0) {
        this.#count({ account, amounts: { received, delivered, dropped } });
      }
    }
    this.#written = now;
  }

  /** Lines in which everything is written, with what waits as pending. */
  withPending(lines: readonly LedgerLine[]): readonly LedgerLine[] {
    return lines.map((line) => {
      const waiting = this.#written.get(line.account)?.pending ?? 0;
      return { ...line, pending: line.pending + waiting, dropped: line.dropped - waiting };
    });
  }

  /** Writes for the last time. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.write();
  }

  #sum(): ReadonlyMap<string, EventAmounts> {
    const sums = new Map<string, EventAmounts>();
    for (const { amounts } of this.#sources()) {
      for (const [account, { received, delivered, dropped, pending }] of amounts) {
        const sum = sums.get(account) ?? none;
        sums.set(account, {
          received: sum.received + received,
          delivered: sum.delivered + delivered,
          dropped: sum.dropped + dropped,
          pending: sum.pending + pending,
        });
      }
    }
    return sums;
  }
}

const none: Readonly<EventAmounts> = { received: 0, delivered: 0, dropped: 0, pending: 0 };
