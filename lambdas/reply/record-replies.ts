import type { SQSRecord } from "aws-lambda";
import type { ReplyStatus } from "../../scheme/command/command.ts";
import { readReply } from "../../scheme/command/command-message.ts";
import type { IngestSource } from "../../scheme/ingest.ts";
import { MessageError, quote } from "../../scheme/message-error.ts";
import { openRecord } from "../forward/open-record.ts";
import { letterOf, type OpenedMessage } from "../forward/opened-message.ts";
import { toDeviceMessage } from "../forward/read-message.ts";
import { type BatchAnswer, settleEach } from "../settle-each.ts";
import type { CommandLedger } from "../store/commands.ts";
import type { DeadLetter, DeadLetters } from "../store/dead-letters.ts";

export interface RecordRepliesOptions {
  /** What the replies' topic rule is derived from. */
  readonly source: IngestSource;
  readonly ledger: Pick<CommandLedger, "recordReply">;
  readonly deadLetters: Pick<DeadLetters, "put">;
  /** Told of each reply that its command did not have yet, */
  readonly onRecorded: (status: ReplyStatus) => void;
  /** of each that is a dead letter now, */
  readonly onDead: (letter: DeadLetter) => void;
  /** and of what went wrong: a message that is not settled comes again. */
  readonly onError: (error: unknown, messageId: string) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Writes devices' answers to their commands, each settled alone. One that is none, or whose device has no such command,
 * is a dead letter at once: it would not be another one at the next try.
 */
export async function recordReplies(
  records: readonly SQSRecord[],
  options: RecordRepliesOptions,
): Promise<BatchAnswer> {
  const { source, deadLetters, onDead, onError, now = Date.now } = options;
  const sources = new Map([[source.name, source]]);
  const settle = async (record: SQSRecord) => {
    const opened = openRecord(record, sources);
    try {
      await recordReply(opened, options);
      return "done";
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      const { code: reason, message: detail } = error;
      const letter: DeadLetter = { ...letterOf(opened, now()), reason, detail, attempts: [] };
      await deadLetters.put([letter]);
      onDead(letter);
      return "dead";
    }
  };
  return await settleEach(records, settle, onError);
}

/** @throws {MessageError} where the fault is in the message. */
async function recordReply(
  { routed }: OpenedMessage<IngestSource>,
  { ledger, onRecorded }: RecordRepliesOptions,
): Promise<void> {
  if (routed instanceof MessageError) throw routed;
  const { message, deviceId } = routed;
  const reply = readReply(toDeviceMessage(message));
  const { outcome } = await ledger.recordReply({ ...reply, deviceId, at: message.receivedAt });
  switch (outcome) {
    case "recorded":
      onRecorded(reply.status);
      return;
    case "known":
      return; // it came before: at QoS 1 anything may
    case "unknown":
      throw new MessageError("COMMAND_UNKNOWN", `device ${deviceId} has no command ${quote(reply.commandId)}`);
    default:
      return outcome satisfies never;
  }
}
