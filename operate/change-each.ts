import type { Terminal } from "../start/terminal.ts";
import { paced } from "./paced.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress-line.ts";

/** What became of one record. */
export type Change =
  | { readonly kind: "done"; readonly route: string }
  /** As it should be already, or somebody else is at it. */
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

export interface ChangeOptions<Item> {
  /** What is done to each, as a past participle: `replayed`, `dropped`. */
  readonly verb: string;
  readonly isDryRun: boolean;
  readonly perSecond: number;
  /** How many there are, where that is known. */
  readonly total?: number;
  readonly idOf: (item: Item) => string;
  readonly terminal: Terminal;
}

/**
 * Changes records one after the other, says what was not changed and why, and in the end how many were.
 *
 * @returns whether none failed. Rejects with what keeps all of them from being changed.
 */
export async function changeEach<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  { verb, isDryRun, perSecond, total, idOf, terminal }: ChangeOptions<Item>,
  change: (item: Item) => Promise<Change>,
): Promise<boolean> {
  const done = new Map<string, number>();
  const counts = { skipped: 0, failed: 0 };
  const phrase = isDryRun ? `would be ${verb}` : verb;
  const progress = new ProgressLine(terminal, { verb: phrase, ...(total === undefined ? {} : { total }) });
  try {
    await paced(items, { perSecond: isDryRun ? Number.POSITIVE_INFINITY : perSecond }, async (item) => {
      const result = await change(item);
      progress.advance();
      if (result.kind === "done") {
        done.set(result.route, (done.get(result.route) ?? 0) + 1);
        return;
      }
      counts[result.kind] += 1;
      terminal.print(`${printable(idOf(item))}  not ${verb}: ${result.reason}`);
    });
  } finally {
    progress.end();
    terminal.print(summarize(done, phrase));
  }
  return counts.failed === 0;
}

function summarize(done: ReadonlyMap<string, number>, phrase: string): string {
  const numbers = new Intl.NumberFormat("en");
  const total = [...done.values()].reduce((sum, count) => sum + count, 0);
  const byRoute = [...done].map(([route, count]) => `${route} ${numbers.format(count)}`).join(", ");
  return `${numbers.format(total)} ${phrase}${total === 0 ? "" : ` (${byRoute})`}`;
}
