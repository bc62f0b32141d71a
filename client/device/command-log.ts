import type { ReplyStatus } from "../../scheme/command/command.ts";
import type { DeviceCommand } from "./arrival.ts";
import type { DeviceStore } from "./store.ts";

/** What a device said to a command. */
export interface Answer {
  readonly status: ReplyStatus;
  /** JSON text. */
  readonly body: string;
}

/** What is to be done with a command that arrived. */
export type Verdict =
  | { readonly kind: "handle" }
  | { readonly kind: "answer"; readonly answer: Answer } // it was handled: the same answer again
  | { readonly kind: "wait" } // it waits or is being handled: its answer will come
  | { readonly kind: "outdated" } // a state, and a newer one was seen
  | { readonly kind: "expired" }; // a request that nobody wants any more

/** A command that was seen; without an answer where it is not handled yet. */
interface Seen {
  /** Counts up, so that what a store gives back has its order. */
  readonly order: number;
  readonly answer?: Answer;
}

interface Newest {
  readonly version: number;
  readonly commandId: string;
}

const commandPrefix = "command/";
const newestKey = "newest";

/**
 * The commands that a device has seen: the last ones with their answers, and the newest version.
 *
 * The newest state is never forgotten, however many requests come after it: its retained copy arrives at each connect.
 */
export class CommandLog {
  readonly #store: DeviceStore;
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #seen: Map<string, Seen>;
  #newest: Newest | undefined;
  #order: number;

  private constructor(store: DeviceStore, { capacity, now }: CommandLogOptions, kept: Kept) {
    this.#store = store;
    this.#capacity = capacity;
    this.#now = now;
    this.#seen = new Map(kept.seen);
    this.#newest = kept.newest;
    this.#order = kept.seen.at(-1)?.[1].order ?? 0;
  }

  /** @param entries What the store has kept. */
  static from(entries: ReadonlyMap<string, string>, store: DeviceStore, options: CommandLogOptions): CommandLog {
    return new CommandLog(store, options, readKept(entries));
  }

  judge({ id, kind, version, expiresAt }: DeviceCommand): Verdict {
    const seen = this.#seen.get(id);
    if (seen?.answer !== undefined) return { kind: "answer", answer: seen.answer };
    if (kind === "state" && this.#isOutdated(id, version)) return { kind: "outdated" };
    if (expiresAt !== undefined && expiresAt <= this.#now()) return { kind: "expired" };
    return { kind: seen === undefined ? "handle" : "wait" };
  }

  /** Notes that the command will be handled. The store has its version before its handler begins. */
  async accept({ id, kind, version }: DeviceCommand): Promise<void> {
    this.#seen.set(id, { order: ++this.#order });
    if (kind !== "state" || version === undefined) return;
    this.#newest = { version, commandId: id };
    await this.#store.set(newestKey, JSON.stringify(this.#newest));
  }

  /** Notes that the command will not be handled after all. */
  drop({ id }: DeviceCommand): void {
    this.#seen.delete(id);
  }

  /** Notes the answer, which the store has when this resolves. */
  async finish({ id }: DeviceCommand, answer: Answer): Promise<void> {
    const seen = { order: ++this.#order, answer };
    this.#seen.delete(id); // to the end: the first ones are forgotten first
    this.#seen.set(id, seen);
    const forgotten = this.#forget();
    await this.#store.set(`${commandPrefix}${id}`, JSON.stringify(seen));
    for (const each of forgotten) await this.#store.delete(`${commandPrefix}${each}`);
  }

  #isOutdated(id: string, version: number | undefined): boolean {
    const newest = this.#newest;
    if (newest === undefined || version === undefined) return false;
    return version < newest.version || (version === newest.version && id !== newest.commandId);
  }

  #forget(): readonly string[] {
    const surplus = this.#seen.size - this.#capacity;
    if (surplus <= 0) return [];
    const candidates = [...this.#seen].filter(
      ([id, { answer }]) => answer !== undefined && id !== this.#newest?.commandId,
    );
    const forgotten = candidates.slice(0, surplus).map(([id]) => id);
    for (const id of forgotten) this.#seen.delete(id);
    return forgotten;
  }
}

export interface CommandLogOptions {
  /** Commands that are remembered. */
  readonly capacity: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface Kept {
  readonly seen: readonly (readonly [string, Seen])[];
  readonly newest: Newest | undefined;
}

function readKept(entries: ReadonlyMap<string, string>): Kept {
  const newest = entries.get(newestKey);
  const seen = [...entries]
    .filter(([key]) => key.startsWith(commandPrefix))
    .map(([key, value]) => [key.slice(commandPrefix.length), JSON.parse(value) as Seen] as const);
  return {
    seen: seen.sort(([, a], [, b]) => a.order - b.order),
    newest: newest === undefined ? undefined : (JSON.parse(newest) as Newest),
  };
}
