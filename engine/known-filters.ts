import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Remembers in the data folder what the engine subscribed to. A session outlives the engine, and with it every filter
 * that was ever subscribed: after a change of the topics, a message could come by an old filter as well as by a new one.
 */
export class KnownFilters {
  readonly #file: string;

  constructor(dataFolder: string) {
    this.#file = join(dataFolder, "topic-filters.json");
  }

  /** Filters of a run before that are wanted no more. */
  staleBeside(wanted: readonly string[]): readonly string[] {
    return this.#read().filter((filter) => !wanted.includes(filter));
  }

  write(filters: readonly string[]): void {
    writeFileSync(this.#file, JSON.stringify(filters));
  }

  #read(): readonly string[] {
    try {
      return JSON.parse(readFileSync(this.#file, "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }
}
