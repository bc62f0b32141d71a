import type { SQSRecord } from "aws-lambda";
import { FrameError } from "../../scheme/frame/frame-error.ts";
import type { IngestFrame, IngestMessage, IngestSource, IngestSources } from "../../scheme/ingest.ts";
import { quote } from "../../scheme/message-error.ts";
import { eventOf, readFrame } from "../forward/frames/frame-event.ts";
import { createOpenMember } from "../forward/frames/open-member.ts";
import { isRefused, refusedLetter } from "../forward/frames/refused-members.ts";
import { openRecord } from "../forward/open-record.ts";
import { letterOf, type OpenedMessage } from "../forward/opened-message.ts";
import type { LetterToPut } from "../store/dead-letters.ts";
import { type ErrorReport, readErrorReport } from "./error-report.ts";

/** A dead letter as far as the message itself tells of it. */
export type LetterDraft = Omit<LetterToPut, "attempts">;

const receivedTooOften = "its function did not end it in as many receives as its queue allows";
const unknownBody = "neither what a topic rule selects nor the report of an error action";

export interface ToDeadLettersOptions {
  readonly sources: IngestSources;
  /** Undefined where no rule takes frames. */
  readonly framesRuleName: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The records of what came to the queue of dead letters: a message that its queue gave up on, the report of a topic
 * rule's error action, or something that is neither, which is kept as it stands. Of a frame, one for each message.
 */
export function toDeadLetters(record: SQSRecord, options: ToDeadLettersOptions): readonly LetterDraft[] {
  const { sources, framesRuleName, now } = options;
  const opened = openRecord(record, sources);
  if (opened.message !== undefined) return [draft(opened, now, "RECEIVED_TOO_OFTEN", receivedTooOften)];
  const report = readErrorReport(record.body);
  if (report === undefined) {
    const drafts = draftsOfFrame(eventOf(record.body), options, "RECEIVED_TOO_OFTEN", receivedTooOften);
    return drafts ?? [draft(opened, now, "TOPIC_NOT_ROUTED", unknownBody)];
  }
  const ofFrame =
    report.ruleName === framesRuleName
      ? draftsOfFrame(toIngestFrame(report), options, "RULE_FAILED", detailOf(report))
      : undefined;
  if (ofFrame !== undefined) return ofFrame;
  const source = [...sources.values()].find(({ ruleName }) => ruleName === report.ruleName);
  const message = rebuild(report, source, Number(record.attributes.SentTimestamp));
  const reopened = openRecord({ ...record, body: JSON.stringify(message) }, sources);
  return [draft(reopened, now, "RULE_FAILED", detailOf(report))];
}

/** Undefined where it is no frame. What the relay refused has its own reason. */
function draftsOfFrame(
  event: unknown,
  { sources, now }: ToDeadLettersOptions,
  reason: string,
  detail: string,
): readonly LetterDraft[] | undefined {
  try {
    const { members, broker } = readFrame(event);
    const openMember = createOpenMember(sources);
    const opened = members.map((member) => openMember(member, broker));
    return opened.map((each) => (isRefused(each) ? refusedLetter(each, now) : draft(each, now, reason, detail)));
  } catch (error) {
    if (error instanceof FrameError) return undefined;
    throw error;
  }
}

function draft(opened: OpenedMessage<IngestSource>, now: number, reason: string, detail: string): LetterDraft {
  return { ...letterOf(opened, now), reason, detail };
}

/** Longest detail in characters: an action may quote at length what it was told. */
const maxDetailLength = 1_000;

function detailOf({ ruleName, failures }: ErrorReport): string {
  const reasons = failures.map(
    ({ failedAction, failedResource, errorMessage }) =>
      `${failedAction} on ${quote(failedResource)}: ${errorMessage.replaceAll(/\s+/g, " ")}`,
  );
  return `rule ${ruleName}: ${reasons.join("; ") || "no failure is named"}`.slice(0, maxDetailLength);
}

/** What the rule of frames would have handed over. */
function toIngestFrame({ base64OriginalPayload, clientId }: ErrorReport): IngestFrame {
  return { frame: base64OriginalPayload, ...brokerOf(clientId) };
}

function brokerOf(clientId: string | undefined): { readonly broker?: string } {
  return clientId === undefined || clientId === "N/A" ? {} : { broker: clientId };
}

/**
 * What the rule would have sent, as far as the report has it. The MQTT 5 properties are not in it: user properties,
 * content type, payload format, response topic and correlation data are lost. A replay of a message with its header in
 * user properties therefore finds no envelope in the payload, and is a dead letter again.
 */
function rebuild(report: ErrorReport, source: IngestSource | undefined, receivedAt: number): IngestMessage {
  const { ruleName, topic, base64OriginalPayload, clientId } = report;
  // By Basic Ingest, `topic()` in a rule is what follows the rule's name; a report may name all of it.
  const prefix = `$aws/rules/${ruleName}/`;
  return {
    data: base64OriginalPayload,
    topic: topic.startsWith(prefix) ? topic.slice(prefix.length) : topic,
    route: source?.name ?? ruleName,
    receivedAt,
    ...brokerOf(clientId),
  };
}
