import { encodeCommand } from "../../scheme/command/command-message.ts";
import { deviceIdLevel, fillTemplate, type TopicTemplate } from "../../scheme/topic-template.ts";
import type { CommandPublisher } from "../publish/command-publisher.ts";
import type { CommandRecord } from "../store/command-record.ts";
import type { CommandLedger } from "../store/commands.ts";
import { acknowledgedAt, publishToBrokers } from "./publish-to-brokers.ts";

export interface SendRequestOptions {
  readonly ledger: CommandLedger;
  readonly publishers: readonly CommandPublisher[];
  /** The commands'. */
  readonly topic: TopicTemplate;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Publishes a recorded request to every broker, since nobody knows which one its device is connected to. One that is
 * over is ended instead.
 */
export async function sendRequest(
  record: CommandRecord,
  { ledger, publishers, topic, now }: SendRequestOptions,
): Promise<CommandRecord> {
  const { id, deviceId, issuedAt, deadlineAt = issuedAt, body } = record;
  const remainingMs = deadlineAt - now();
  if (remainingMs <= 0) return (await ledger.end(id, "expired")) ?? record;
  const attempts = await publishToBrokers(
    publishers,
    {
      topic: fillTemplate(topic, (level) => (level === deviceIdLevel ? deviceId : "")),
      payload: encodeCommand({ commandId: id, kind: "request", issuedAt, expiresAt: deadlineAt, body }),
      isRetained: false,
      messageExpirySeconds: Math.ceil(remainingMs / 1000),
    },
    now,
  );
  const all = [...record.attempts, ...attempts];
  return await ledger.notePublication(record, { attempts: all, at: acknowledgedAt(attempts) });
}
