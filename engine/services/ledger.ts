/** What the ledger counts, in messages. */
export const ledgerColumns = [
  /** Taken from the broker for a rule, or sent to its queue by a replay. */
  "received",
  /** Those of the received that came by SQS's `SendMessage`. */
  "replayed",
  /** Answered by the API with success, or republished. */
  "delivered",
  /** Given up: a dead-letter record, or a message in the dead-letter queue. */
  "dead",
  /** Older than their queue keeps messages. */
  "expired",
  /** Not selected by their rule's WHERE. */
  "filtered",
  /** QoS 0: failed, too old, or in memory when the engine ended. */
  "dropped",
  /** Nobody's: refused for good by the rule's actions and by its error action. */
  "lost",
] as const;
export type LedgerColumn = (typeof ledgerColumns)[number];

/** What happened to messages of one account, which is a topic rule as a rule. */
export interface LedgerEntry {
  readonly account: string;
  readonly amounts: LedgerAmounts;
}

export type LedgerAmounts = Readonly<Partial<Record<LedgerColumn, number>>>;

/** An account: everything that was ever counted, and what waits now. */
export interface LedgerLine extends Readonly<Record<LedgerColumn, number>> {
  readonly account: string;
  /** Rows in the account's queues, and events of QoS 0 in memory: counted, never a difference. */
  readonly pending: number;
}

export interface LedgerDifference {
  readonly account: string;
  /** Messages received of which nothing is known any more; below zero where more is known than was received. */
  readonly difference: number;
}

/**
 * Compares, for each account, what was received with what became of it. What is `lost` is received and nothing else, so
 * that it shows as a difference.
 */
export function checkLedger(lines: readonly LedgerLine[]): readonly LedgerDifference[] {
  return lines.map(({ account, received, delivered, dead, expired, pending, filtered, dropped }) => ({
    account,
    difference: received - (delivered + dead + expired + pending + filtered + dropped),
  }));
}
