import { encodeReply } from "../../scheme/command/command-message.ts";
import type { ResponseAddress } from "./arrival.ts";
import type { OutgoingMessage } from "./backlog.ts";
import type { Answer } from "./command-log.ts";
import { checkSize, jsonOf } from "./payload.ts";

/** Characters of an error's message in an answer: what people read, not a dump. */
const maxReasonCharacters = 4096;

/** What a handler gave back, as an answer. What is no JSON, or too large, is a failure. */
export function succeeded(result: unknown): Answer {
  try {
    const body = jsonOf(result);
    checkSize(Buffer.from(body));
    return { status: "succeeded", body };
  } catch (error) {
    return failed(error);
  }
}

export function failed(error: unknown): Answer {
  const reason = error instanceof Error ? error.message : String(error);
  return { status: "failed", body: JSON.stringify(reason.slice(0, maxReasonCharacters)) };
}

/** Whom an answer is for. */
export interface Recipient {
  readonly commandId: string;
  /** Absent where the answer goes to the replies topic. */
  readonly address: ResponseAddress | undefined;
}

/**
 * An answer as it goes out: an envelope on the replies topic, or the plain body with the correlation data where the
 * command named a response topic.
 */
export function encodeAnswer(repliesTopic: string, { commandId, address }: Recipient, answer: Answer): OutgoingMessage {
  if (address === undefined) return { topic: repliesTopic, payload: encodeReply({ commandId, ...answer }) };
  return {
    topic: address.topic,
    payload: Buffer.from(answer.body),
    properties: {
      userProperties: [
        ["commandId", commandId],
        ["status", answer.status],
      ],
      contentType: "application/json",
      correlationData: address.correlationData,
    },
  };
}
