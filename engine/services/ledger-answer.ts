import type { LedgerAmounts, LedgerEntry } from "./ledger.ts";

/** What a function may say of messages. */
const columns = ["delivered", "dead", "dropped"] as const;

/** An event of Lambda has 1 MiB at most, so that no more messages of a byte each are in it. */
const maxMessages = 1_048_576;

/** Tells the ledger what the answer of a function says. */
export type LedgerAnswer = (answer: unknown) => void;

/**
 * A function that is given many messages in one event may say what became of them, by account:
 * `{ ledger: { [account]: { delivered, dead, dropped } } }`. They count as received with it. Ours alone: Lambda ignores
 * it. What is no account of ours, or no number of messages, is ignored here too.
 *
 * @param accounts The topic rules' names.
 * @param count Is called in the same turn, so that what is staged with it is one transaction.
 */
export function ledgerAnswer(accounts: ReadonlySet<string>, count: (entry: LedgerEntry) => void): LedgerAnswer {
  return (answer) => {
    for (const [account, value] of Object.entries(recordOf(recordOf(answer).ledger))) {
      const amounts = accounts.has(account) ? amountsIn(value) : {};
      const received = Object.values(amounts).reduce((sum, amount) => sum + amount, 0);
      if (received > 0) count({ account, amounts: { received, ...amounts } });
    }
  };
}

function amountsIn(value: unknown): LedgerAmounts {
  const amounts = columns.map((column) => [column, recordOf(value)[column]] as const);
  return Object.fromEntries(amounts.filter(([, amount]) => isAmount(amount)));
}

function isAmount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= maxMessages;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
