import { parseArgs } from "node:util";
import { UsageError } from "../bridge/usage-error.ts";
import type { DeadLetter } from "../lambdas/store/dead-letters.ts";
import { changeFlags, type Filter, filterFlags, readCount, readFilter } from "./filters.ts";
import { type Place, placeFlags, placeHelp, readPlace } from "./place.ts";

export const deadLettersHelp = `Usage: npm run dead-letters -- COMMAND [options]

Messages that were not delivered and are not tried any more, each with its reason.

  list             what there is, oldest first with --route
  show ID          all that is known of one: request, answer, attempts
  replay [ID …]    send them again, with the same idempotency key; safe to run twice
  drop [ID …]      note that they are not wanted any more

Which ones
  --route NAME --device ID --reason CODE
  --since, --until an age (90m, 2h, 3d) or a time (2026-01-31T08:00Z) of death
  --state STATE    dead (the default), replaying, replayed, dropped or all
  --limit N        so many at most; list shows 100 unless told otherwise
  --all            replay or drop all of them, where nothing else says which

How
  --rate N         so many a second at most, 100 by default
  --dry-run        say what would be done

Where
${placeHelp}`;

/** The states that are meant, or all. */
export type States = ReadonlySet<DeadLetter["state"]> | "all";

export interface LetterFilter extends Filter {
  readonly reason: string | undefined;
  readonly states: States;
}

/** What a command takes: those that are named, or those that a filter selects. */
export type LetterSelection = LetterFilter & { readonly ids: readonly string[]; readonly limit: number };

export type DeadLettersAction =
  | { readonly kind: "list"; readonly selection: LetterSelection }
  | { readonly kind: "show"; readonly ids: readonly string[] }
  | {
      readonly kind: "replay" | "drop";
      readonly selection: LetterSelection;
      readonly perSecond: number;
      readonly isDryRun: boolean;
    };

export interface DeadLettersOptions {
  readonly place: Place;
  readonly action: DeadLettersAction;
}

const defaultListLimit = 100;

/**
 * Reads the command line, undefined where it asks for help.
 *
 * @param now Milliseconds since 1970, which ages count from.
 * @throws {UsageError}
 */
export function readOptions(args: readonly string[], now: number): DeadLettersOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  return { place: readPlace(values), action: readAction(positionals, values, now) };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { ...placeFlags, ...filterFlags, ...changeFlags, reason: text, state: text };
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

type Values = ReturnType<typeof parse>["values"];

function readAction([name, ...ids]: readonly string[], values: Values, now: number): DeadLettersAction {
  switch (name) {
    case "list":
      if (ids.length > 0) throw new UsageError(`list takes no '${ids[0]}'; show ID shows one`);
      return { kind: name, selection: readSelection([], { limit: String(defaultListLimit), ...values }, now) };
    case "show":
      if (ids.length === 0) throw new UsageError("show needs the id of a dead letter");
      return { kind: name, ids };
    case "replay":
    case "drop": {
      const selection = readSelection(ids, values, now);
      checkIsMeant(name, ids, values);
      const perSecond = readCount("--rate", values.rate);
      return { kind: name, selection, perSecond, isDryRun: values["dry-run"] };
    }
    default:
      throw new UsageError(
        name === undefined
          ? "a command is needed: list, show, replay or drop"
          : `there is no command '${name}': list, show, replay or drop`,
      );
  }
}

function readSelection(ids: readonly string[], values: Values, now: number): LetterSelection {
  return {
    ids,
    ...readFilter(values, now),
    reason: values.reason,
    states: readStates(values.state),
    limit: values.limit === undefined ? Number.POSITIVE_INFINITY : readCount("--limit", values.limit),
  };
}

const states: ReadonlyMap<string, States> = new Map<string, States>([
  // What was under way when a replay was killed is as dead as the others.
  ["dead", new Set(["dead", "replaying"])],
  ["replaying", new Set(["replaying"])],
  ["replayed", new Set(["replayed"])],
  ["dropped", new Set(["dropped"])],
  ["all", "all"],
]);

function readStates(name = "dead"): States {
  const found = states.get(name);
  if (found === undefined) throw new UsageError(`--state '${name}' is not ${[...states.keys()].join(", ")}`);
  return found;
}

/** A bare `drop` would end everything that there is. */
function checkIsMeant(name: string, ids: readonly string[], values: Values): void {
  const { route, device, reason, since, until, all } = values;
  const hasFilter = [route, device, reason, since, until].some((value) => value !== undefined);
  if (ids.length > 0 && (hasFilter || all)) throw new UsageError(`${name} takes ids, or says which ones; not both`);
  if (ids.length === 0 && !hasFilter && !all) {
    throw new UsageError(`${name} what? Give ids, --route, --device, --reason, --since or --until, or --all`);
  }
}
