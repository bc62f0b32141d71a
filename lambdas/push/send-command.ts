import type { CommandDraft, Commands } from "../commands/commands.ts";
import { maxPayloadBytes } from "../publish/limits.ts";
import type { CommandRecord } from "../store/command-record.ts";
import { type Answer, answerJson, answerProblem } from "./answer.ts";
import { draftCommand, readWanted } from "./command-draft.ts";
import { commandLimitMs, type Operation } from "./operation.ts";
import { PushError } from "./push-error.ts";
import { readBody } from "./read-body.ts";
import { readQuery } from "./read-query.ts";
import { sendCommandBody, sendCommandQuery } from "./request-schemas.ts";
import { viewCommand } from "./views.ts";

/** Sends a command to a device, and where its caller waits, gives the device's answer. */
export const sendCommand: Operation = ({ deviceId, query, receivedAt, ...request }, { commands }) => {
  const { wait } = readQuery(query, sendCommandQuery);
  // An envelope adds more than a body without white space has beside `command` and `args`.
  const wanted = readWanted(readBody(request, { schema: sendCommandBody, maxBytes: maxPayloadBytes }));
  return {
    limitMs: commandLimitMs + wait * 1000,
    async run(seed) {
      const draft = draftCommand(wanted, deviceId, seed);
      if (wait > 0) return await sendAndWait(draft, wait, receivedAt, commands);
      return answerCommand(202, await commands.send(draft));
    },
  };
};

async function sendAndWait(draft: CommandDraft, wait: number, receivedAt: number, commands: Commands): Promise<Answer> {
  await using replyWait = await commands.awaitReply(draft.deviceId, draft.id);
  const record = await commands.send(draft);
  // A retry may find that its first try was answered.
  const answered = record.reply === undefined ? await replyWait.answered(receivedAt + wait * 1000) : record;
  if (answered !== undefined) return answerCommand(200, answered);
  const latest = (await commands.get(draft.id)) ?? record;
  // Between the two looks at it an answer may have come.
  if (latest.reply !== undefined) return answerCommand(200, latest);
  const error = new PushError("REPLY_TIMEOUT", `no answer within ${wait} s; the command is ${latest.state}`);
  return answerProblem(error, { command: viewCommand(latest) }, factsOf(latest));
}

function answerCommand(status: number, record: CommandRecord): Answer {
  return answerJson(status, viewCommand(record), factsOf(record));
}

function factsOf({ id }: CommandRecord) {
  return { headers: { location: `/commands/${id}` }, commandId: id, accepted: 1 };
}
