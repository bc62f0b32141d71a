import type { KeptMessage, KeptMessages } from "../lambdas/store/kept-messages.ts";
import type { Terminal } from "../start/terminal.ts";
import { type Change, changeEach } from "./change-each.ts";
import { Deployment } from "./deployment.ts";
import { type MessageSelection, type MessagesAction, messagesHelp, readOptions } from "./messages-options.ts";
import { OperateError } from "./operate-error.ts";
import { printable, printableBody, printableTime } from "./printable.ts";
import { toReplay } from "./replayable.ts";
import { formatTable } from "./table.ts";

/** `messages`: whether everything was done that was asked for. @throws {UsageError | SchemeError | OperateError} */
export async function messagesCommand(args: readonly string[], terminal: Terminal): Promise<boolean> {
  const options = readOptions(args, Date.now());
  if (options === undefined) {
    terminal.print(messagesHelp);
    return true;
  }
  using deployment = await Deployment.open(options.place);
  if ([...deployment.scheme.routes.values()].every(({ keep }) => keep === undefined)) {
    throw new OperateError("NOTHING_KEPT", "no route of the scheme keeps its messages, by `keep: { days: … }`");
  }
  const { action } = options;
  if (action.kind === "replay") return await replay(action, deployment, terminal);
  await list(action.selection, deployment, terminal);
  return true;
}

async function list(selection: MessageSelection, { keptMessages }: Deployment, terminal: Terminal): Promise<void> {
  const { limit } = selection;
  const rows: (string | number)[][] = [];
  for await (const message of select({ ...selection, limit: limit + 1 }, keptMessages)) rows.push(rowOf(message));
  if (rows.length === 0) {
    terminal.print("no messages are kept");
    return;
  }
  for (const line of formatTable(["received", "id", "route", "device", "bytes", "payload"], rows.slice(0, limit))) {
    terminal.print(line);
  }
  if (rows.length > limit) terminal.print(`There are more than these ${limit}; --limit N shows more.`);
}

const shownCharacters = 60;

function rowOf({ receivedAt, id, route, deviceId, payload }: KeptMessage): (string | number)[] {
  const text = printableBody(payload).replaceAll(/\s+/g, " ");
  const start = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
  return [printableTime(receivedAt), printable(id), route, deviceId, payload.length, start];
}

async function replay(
  { selection, perSecond, isDryRun }: Extract<MessagesAction, { kind: "replay" }>,
  deployment: Deployment,
  terminal: Terminal,
): Promise<boolean> {
  const { keptMessages, scheme } = deployment;
  // Not those that come while this runs: its own are among them where the way is quick.
  const until = Math.min(selection.until ?? Number.POSITIVE_INFINITY, Date.now());
  return await changeEach(
    select({ ...selection, until }, keptMessages),
    { verb: "replayed", isDryRun, perSecond, idOf: ({ id }) => id, terminal },
    async (message): Promise<Change> => {
      const replay = toReplay(message, scheme.routes);
      if (replay.kind === "impossible") return { kind: "failed", reason: replay.reason };
      if (!isDryRun) await deployment.sendAgain(replay.route, replay.body);
      return { kind: "done", route: replay.route };
    },
  );
}

async function* select(
  { route, deviceId, since, until, limit }: MessageSelection,
  keptMessages: Pick<KeptMessages, "list">,
): AsyncGenerator<KeptMessage, void, undefined> {
  let count = 0;
  for await (const message of keptMessages.list({ route, deviceId, since, until })) {
    if (count >= limit) return;
    count += 1;
    yield message;
  }
}
