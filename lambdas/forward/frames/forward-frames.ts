import type { SQSBatchItemFailure } from "aws-lambda";
import type { Scheme } from "../../../scheme/scheme.ts";
import type { BatchAnswer, FrameAnswer } from "../../settle-each.ts";
import { isSqsEvent } from "../../sqs-event.ts";
import { createGatedAttempt, type GatedAttemptOptions } from "../gated-attempt.ts";
import type { Report } from "../report.ts";
import { type ForwardFrameOptions, forwardFrame } from "./forward-frame.ts";
import { eventOf } from "./frame-event.ts";
import { maximumDelaySeconds } from "./hand-on.ts";
import { LedgerTally } from "./ledger-tally.ts";
import { createOpenMember } from "./open-member.ts";

export interface ForwardFramesOptions
  extends Omit<GatedAttemptOptions, "lane" | "maximumDelaySeconds">,
    Omit<ForwardFrameOptions, "routes" | "openMember" | "attempt" | "gateOf" | "timeoutMs" | "now"> {
  readonly scheme: Pick<Scheme, "routes" | "api" | "framesRuleName">;
  readonly deliver: ForwardFrameOptions["deliver"];
  readonly report: Report;
}

/** Of an invocation, what is asked of it. */
export interface FramesContext {
  /** The same where Lambda repeats it. */
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/**
 * Puts together what forwards frames: one that the topic rule hands over, whose failure is thrown, so that Lambda repeats
 * it; or those of the queue that Lambda leaves them in when it has repeated them enough.
 */
export function createForwardFrames(
  options: ForwardFramesOptions,
): (event: unknown, context: FramesContext) => Promise<FrameAnswer & Partial<BatchAnswer>> {
  const { scheme, now = Date.now, onError } = options;
  const { routes, api } = scheme;
  const gated = createGatedAttempt({ ...options, lane: "fresh", maximumDelaySeconds });
  const openMember = createOpenMember(routes);
  const frameOptions = { ...options, ...gated, routes, openMember, timeoutMs: api.timeoutMs, now };
  return async (event, context) => {
    const tally = new LedgerTally(scheme);
    const remainingMs = () => context.getRemainingTimeInMillis();
    if (!isSqsEvent(event)) {
      await forwardFrame(event, context.awsRequestId, remainingMs, tally, frameOptions);
      return tally.answer;
    }
    const batchItemFailures: SQSBatchItemFailure[] = [];
    for (const { messageId, body } of event.Records) {
      try {
        await forwardFrame(eventOf(body), messageId, remainingMs, tally, frameOptions);
      } catch (error) {
        onError(error);
        batchItemFailures.push({ itemIdentifier: messageId });
      }
    }
    return { batchItemFailures, ...tally.answer };
  };
}
