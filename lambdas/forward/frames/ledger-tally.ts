import type { Scheme } from "../../../scheme/scheme.ts";
import type { FrameAnswer, LedgerCounts } from "../../settle-each.ts";
import type { OpenedMessage } from "../opened-message.ts";

/** Counts for the local engine's ledger what became of the messages of frames. */
export class LedgerTally {
  readonly #scheme: Pick<Scheme, "routes" | "framesRuleName">;
  readonly #counts = new Map<string, Map<keyof LedgerCounts, number>>();

  constructor(scheme: Pick<Scheme, "routes" | "framesRuleName">) {
    this.#scheme = scheme;
  }

  add({ routeName }: Pick<OpenedMessage, "routeName">, end: keyof LedgerCounts): void {
    const { routes, framesRuleName = "" } = this.#scheme;
    const rule = routes.get(routeName)?.ruleName ?? framesRuleName;
    const counts = this.#counts.get(rule) ?? new Map();
    this.#counts.set(rule, counts.set(end, (counts.get(end) ?? 0) + 1));
  }

  get answer(): FrameAnswer {
    return {
      ledger: Object.fromEntries([...this.#counts].map(([rule, counts]) => [rule, Object.fromEntries(counts)])),
    };
  }
}
