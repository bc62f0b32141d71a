import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Scheme } from "../../scheme/scheme.ts";
import { type AttemptOptions, createAttempt, type Settlement } from "../forward/attempt.ts";
import { type OpenedRecord, openRecord } from "../forward/open-record.ts";
import { classify } from "../forward/policy.ts";
import type { GateFailure, RouteStateStore } from "../forward/route-gate.ts";
import type { Attempt, AttemptLog } from "../store/attempt-log.ts";

/** How the attempt to deliver one waiting message ended. */
export type ProbeResult =
  | "success" // the API took it, or refused it for the message's own sake: the endpoint is well
  | "failure"
  | "held" // a failure, and the API says when to come back
  // No message waits. An open circuit that nothing waits behind harms nobody, and the next message is a probe.
  | "nothing";

export interface ProbeOptions extends Pick<AttemptOptions, "deliver" | "nextStep" | "report" | "now"> {
  readonly client: SQSClient;
  /** URL of a route's retry queue. */
  readonly queueUrl: (route: string) => string;
  readonly routes: Scheme["routes"];
  readonly attemptLog: Pick<AttemptLog, "read" | "write">;
  readonly states: Pick<RouteStateStore, "hold">;
  /** How long a message is waited for, 1 by default: without a wait SQS asks some of its servers only. */
  readonly waitSeconds?: number;
  /** What could not be written down or settled after an attempt; the message comes again. */
  readonly onError: (error: unknown) => void;
}

/** Until `forward` or another probe takes a message again that this function leaves for others to end. */
const leftSeconds = 30;

/** Takes one message of a route's retry queue, attempts it, and settles it but for dead letters. */
export function createProbe(options: ProbeOptions): (route: string) => Promise<ProbeResult> {
  const { client, queueUrl, routes, attemptLog, onError, waitSeconds = 1 } = options;
  return async (route) => {
    const QueueUrl = queueUrl(route);
    const message = await receive(client, QueueUrl, waitSeconds);
    if (message === undefined) return "nothing";
    const opened = openRecord(message, routes);
    const histories = await attemptLog.read([opened.id]);
    const { settlement, result } = await attemptOnce(opened, histories.get(opened.id) ?? [], options);
    try {
      await settle(client, QueueUrl, opened, settlement, attemptLog, result);
    } catch (error) {
      onError(error); // what was found out about the endpoint stands all the same
    }
    return result;
  };
}

interface Attempted {
  readonly settlement: Settlement;
  readonly result: ProbeResult;
}

/** Attempts a message as `forward` would, with a gate that lets it pass and notes what it hears of the endpoint. */
async function attemptOnce(
  opened: OpenedRecord,
  history: readonly Attempt[],
  { deliver, nextStep, report, now, states, onError }: ProbeOptions,
): Promise<Attempted> {
  let result: ProbeResult = "failure";
  let holding: Promise<void> | undefined;
  const gate = {
    delaySeconds: () => undefined,
    success: () => {
      result = "success";
    },
    failure: ({ code, retryAfterMs }: GateFailure) => {
      if (classify(code) === "message") result = "success";
      else if (retryAfterMs !== undefined) {
        result = "held";
        holding = states.hold(opened.routeName, now() + retryAfterMs).catch(onError);
      }
    },
    // Of an endpoint that is not well, no message is judged by what became of others.
    hasSucceededSince: () => false,
  };
  const ended = { add: report.add.bind(report), deadLettered: () => {} };
  const attempt = createAttempt({ deliver, nextStep, gateOf: () => gate, report: ended, now });
  const settlement = await attempt(opened, history);
  await holding;
  return { settlement, result };
}

async function settle(
  client: SQSClient,
  QueueUrl: string,
  { id, record }: OpenedRecord,
  settlement: Settlement,
  attemptLog: ProbeOptions["attemptLog"],
  result: ProbeResult,
): Promise<void> {
  const ReceiptHandle = record.receiptHandle;
  const putOff = (VisibilityTimeout: number) =>
    client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
  switch (settlement.kind) {
    case "done":
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      return;
    case "again":
      if (settlement.attempts !== undefined) await attemptLog.write(new Map([[id, settlement.attempts]]));
      await putOff(settlement.delaySeconds);
      return;
    case "dead":
      // Only `forward` ends a message as a dead letter, so that there is one place where such are counted. It comes to
      // the same end, at once where the circuit closes now.
      await putOff(result === "success" ? 0 : leftSeconds);
      return;
    default:
      settlement satisfies never;
  }
}

async function receive(
  client: SQSClient,
  QueueUrl: string,
  WaitTimeSeconds: number,
): Promise<OpenedRecord["record"] | undefined> {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1, WaitTimeSeconds });
  const { Messages = [] } = await client.send(command);
  return Messages.map(toRecord)[0];
}

function toRecord({ MessageId = "", Body = "", ReceiptHandle = "" }: Message): OpenedRecord["record"] {
  // The queue's ARN is for those who have no URL.
  return { messageId: MessageId, body: Body, receiptHandle: ReceiptHandle, eventSourceARN: "" };
}
