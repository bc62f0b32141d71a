import type { DeadLetter } from "../lambdas/store/dead-letters.ts";
import { ingestSources } from "../scheme/ingest.ts";
import type { Terminal } from "../start/terminal.ts";
import { changeEach } from "./change-each.ts";
import { dropLetter, replayLetter } from "./change-letter.ts";
import { type DeadLettersAction, deadLettersHelp, type LetterSelection, readOptions } from "./dead-letters-options.ts";
import { Deployment } from "./deployment.ts";
import { OperateError } from "./operate-error.ts";
import { printable, printableTime } from "./printable.ts";
import { selectIds, selectLetters } from "./select-letters.ts";
import { showLetter } from "./show-letter.ts";
import { formatTable } from "./table.ts";

/** `dead-letters`: whether everything was done that was asked for. @throws {UsageError | SchemeError | OperateError} */
export async function deadLettersCommand(args: readonly string[], terminal: Terminal): Promise<boolean> {
  const options = readOptions(args, Date.now());
  if (options === undefined) {
    terminal.print(deadLettersHelp);
    return true;
  }
  using deployment = await Deployment.open(options.place);
  return await perform(options.action, deployment, terminal);
}

async function perform(action: DeadLettersAction, deployment: Deployment, terminal: Terminal): Promise<boolean> {
  switch (action.kind) {
    case "list":
      await list(action.selection, deployment, terminal);
      return true;
    case "show":
      await show(action.ids, deployment, terminal);
      return true;
    case "replay":
    case "drop":
      return await change(action, deployment, terminal);
    default:
      return action satisfies never;
  }
}

async function list(selection: LetterSelection, { deadLetters }: Deployment, terminal: Terminal): Promise<void> {
  const { limit } = selection;
  const rows: string[][] = [];
  for await (const letter of selectLetters({ ...selection, limit: limit + 1 }, deadLetters)) rows.push(rowOf(letter));
  if (rows.length === 0) {
    terminal.print("no dead letters");
    return;
  }
  const head = ["died", "id", "route", "device", "reason", "attempts", "state"];
  for (const line of formatTable(head, rows.slice(0, limit))) terminal.print(line);
  if (rows.length > limit) terminal.print(`There are more than these ${limit}; --limit N shows more.`);
}

function rowOf({ at, id, route, deviceId, reason, attempts, state }: DeadLetter): string[] {
  return [printableTime(at), printable(id), route, deviceId ?? "-", reason, String(attempts.length), state];
}

async function show(ids: readonly string[], { deadLetters }: Deployment, terminal: Terminal): Promise<void> {
  for (const id of ids) {
    const letter = await deadLetters.get(id);
    if (letter === undefined) throw new OperateError("NOT_FOUND", `there is no dead letter '${printable(id)}'`);
    for (const line of showLetter(letter)) terminal.print(line);
  }
}

async function change(
  { kind, selection, perSecond, isDryRun }: Extract<DeadLettersAction, { isDryRun: boolean }>,
  deployment: Deployment,
  terminal: Terminal,
): Promise<boolean> {
  const { scheme, deadLetters, attemptLog } = deployment;
  const ids = await selectIds(selection, deadLetters);
  const common = { deadLetters, states: selection.states, isDryRun };
  const send = (route: string, body: string) => deployment.sendAgain(route, body);
  return await changeEach(
    ids,
    {
      verb: kind === "replay" ? "replayed" : "dropped",
      isDryRun,
      perSecond,
      total: ids.length,
      idOf: String,
      terminal,
    },
    kind === "drop"
      ? (id) => dropLetter(id, common)
      : (id) => replayLetter(id, { ...common, sources: ingestSources(scheme), attemptLog, send }),
  );
}
