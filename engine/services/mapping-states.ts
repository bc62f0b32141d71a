import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { MappingPlan } from "../template/plan.ts";

/** What Lambda's API may change of an event source mapping. */
export interface MappingState {
  readonly isEnabled: boolean;
  /** Undefined where there is no limit. */
  readonly maximumConcurrency: number | undefined;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** Beside the state what the template said when it was set: a template that says something else is deployed anew. */
interface Entry extends MappingState {
  readonly deployed: Pick<MappingState, "isEnabled" | "maximumConcurrency">;
}

/**
 * Remembers in the data folder what was changed of event source mappings, which outlives the engine as it does on AWS.
 * A change of the template wins over it, as CloudFormation writes a property only where its template has changed.
 */
export class MappingStates {
  readonly #file: string;
  /** By UUID. */
  readonly #entries: Map<string, Entry>;

  constructor(dataFolder: string) {
    this.#file = join(dataFolder, "event-source-mappings.json");
    this.#entries = new Map(Object.entries(read(this.#file)));
  }

  /** What was set, or what the template says. */
  get({ uuid, isEnabled, maximumConcurrency }: MappingPlan): MappingState {
    const entry = this.#entries.get(uuid);
    const isSame = entry?.deployed.isEnabled === isEnabled && entry.deployed.maximumConcurrency === maximumConcurrency;
    if (entry !== undefined && isSame) return entry;
    const deployed = { isEnabled, maximumConcurrency };
    return { ...deployed, modifiedAt: Date.now() };
  }

  set({ uuid, isEnabled, maximumConcurrency }: MappingPlan, state: MappingState): void {
    this.#entries.set(uuid, { ...state, deployed: { isEnabled, maximumConcurrency } });
    // As a whole or not at all, also where the machine loses power.
    const written = `${this.#file}.new`;
    const file = openSync(written, "w");
    writeSync(file, JSON.stringify(Object.fromEntries(this.#entries)));
    fsyncSync(file);
    closeSync(file);
    renameSync(written, this.#file);
  }
}

function read(file: string): Readonly<Record<string, Entry>> {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
