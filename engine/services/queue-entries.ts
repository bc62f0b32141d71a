import type { LedgerAmounts, LedgerEntry } from "./ledger.ts";

/** What became of a message that is deleted. */
export type MessageEnd = "delivered" | "dead";

/** The ledger's entries for what happens to one message of a queue; undefined where the queue is no account's. */
export type QueueEntries = Readonly<Record<"received" | "replayed" | "expired" | MessageEnd, LedgerEntry | undefined>>;

/** To be made once for a queue: the ledger adds up equal entries of a transaction by their identity. */
export function makeQueueEntries(account: string | undefined): QueueEntries {
  const entry = (amounts: LedgerAmounts) => (account === undefined ? undefined : { account, amounts });
  return {
    received: entry({ received: 1 }),
    replayed: entry({ received: 1, replayed: 1 }),
    delivered: entry({ delivered: 1 }),
    dead: entry({ dead: 1 }),
    expired: entry({ expired: 1 }),
  };
}
