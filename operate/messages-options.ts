import { parseArgs } from "node:util";
import { UsageError } from "../bridge/usage-error.ts";
import { changeFlags, type Filter, filterFlags, readCount, readFilter } from "./filters.ts";
import { type Place, placeFlags, placeHelp, readPlace } from "./place.ts";

export const messagesHelp = `Usage: npm run messages -- COMMAND [options]

Messages of routes with \`keep\`, as they came from the devices.

  list    what there is
  replay  send them to the API once more, with the same idempotency key. The API tells them by it from new ones; a
          route with \`lease\` sends nothing again that the API has, as long as the lease lasts

Which ones
  --route NAME --device ID
  --since, --until an age (90m, 2h, 3d) or a time (2026-01-31T08:00Z) of receipt
  --limit N        so many at most; list shows 100 unless told otherwise
  --all            replay all of them, where nothing else says which

How
  --rate N         replays a second, 100 by default
  --dry-run        say what would be done

Where
${placeHelp}`;

export interface MessageSelection extends Filter {
  readonly limit: number;
}

export type MessagesAction =
  | { readonly kind: "list"; readonly selection: MessageSelection }
  | {
      readonly kind: "replay";
      readonly selection: MessageSelection;
      readonly perSecond: number;
      readonly isDryRun: boolean;
    };

export interface MessagesOptions {
  readonly place: Place;
  readonly action: MessagesAction;
}

const defaultListLimit = 100;

/** As for dead letters. @throws {UsageError} */
export function readOptions(args: readonly string[], now: number): MessagesOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  return { place: readPlace(values), action: readAction(positionals, values, now) };
}

function parse(args: readonly string[]) {
  try {
    const options = { ...placeFlags, ...filterFlags, ...changeFlags };
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

type Values = ReturnType<typeof parse>["values"];

function readAction([name, ...rest]: readonly string[], values: Values, now: number): MessagesAction {
  if (name !== "list" && name !== "replay") {
    throw new UsageError(
      name === undefined ? "a command is needed: list or replay" : `there is no command '${name}': list or replay`,
    );
  }
  if (rest.length > 0)
    throw new UsageError(`${name} takes no '${rest[0]}': --device, --since and so on say which ones`);
  const filter = readFilter(values, now);
  if (name === "list") {
    return {
      kind: name,
      selection: { ...filter, limit: readCount("--limit", values.limit ?? String(defaultListLimit)) },
    };
  }
  if (!values.all && Object.values(filter).every((value) => value === undefined)) {
    throw new UsageError("replay what? Give --route, --device, --since or --until, or --all");
  }
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : readCount("--limit", values.limit);
  const perSecond = readCount("--rate", values.rate);
  return { kind: name, selection: { ...filter, limit }, perSecond, isDryRun: values["dry-run"] };
}
