import { MessageError } from "../../scheme/message-error.ts";
import type { Attempt } from "../store/attempt-log.ts";
import type { DeadLetter } from "../store/dead-letters.ts";
import type { Deliver, FailedDelivery, Outcome } from "./deliver.ts";
import { letterOf, type OpenedMessage } from "./opened-message.ts";
import { classify, type NextStep } from "./policy.ts";
import type { Report } from "./report.ts";
import { parseRetryAfter } from "./retry-after.ts";
import type { RouteGate } from "./route-gate.ts";
import type { HttpRequest } from "./send.ts";

/** What is to be done with a message after it was, or was not, attempted. */
export type Settlement =
  | { readonly kind: "done" }
  /** Put off. `attempts`: its history with the attempt just made; absent where none was. */
  | { readonly kind: "again"; readonly delaySeconds: number; readonly attempts?: readonly Attempt[] }
  | { readonly kind: "dead"; readonly letter: DeadLetter };

export interface AttemptOptions {
  readonly deliver: Deliver;
  readonly nextStep: NextStep;
  readonly gateOf: (route: string) => Pick<RouteGate, "delaySeconds" | "success" | "failure" | "hasSucceededSince">;
  readonly report: Pick<Report, "add" | "deadLettered">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Seconds until a message is looked at again that is being sent elsewhere. */
const busySeconds = 5;

/** Attempts a message, unless its route or device has to wait, and decides what follows. Never rejects. */
export function createAttempt(options: AttemptOptions) {
  const { deliver, nextStep, gateOf, report, now } = options;

  /** @param history Its attempts so far. */
  return async (opened: OpenedMessage, history: readonly Attempt[]): Promise<Settlement> => {
    const { routed, id } = opened;
    if (routed instanceof MessageError) return refuse(opened, history, routed);
    const { route, deviceId } = routed;
    const gate = gateOf(route.name);
    const delaySeconds = gate.delaySeconds(deviceId);
    if (delaySeconds !== undefined) return { kind: "again", delaySeconds };
    const startedAt = now();
    const outcome = await deliver(routed, { id, attempt: history.length + 1 });
    report.add(route.name, outcome, { messageId: id });
    return settle(opened, history, outcome, startedAt, { gate, deviceId });
  };

  function settle(
    opened: OpenedMessage,
    history: readonly Attempt[],
    outcome: Outcome,
    startedAt: number,
    { gate, deviceId }: { readonly gate: ReturnType<typeof gateOf>; readonly deviceId: string },
  ): Settlement {
    const isFirst = history.length === 0;
    switch (outcome.kind) {
      case "delivered":
        gate.success(deviceId, isFirst, now() - startedAt);
        return { kind: "done" };
      case "busy":
        return { kind: "again", delaySeconds: busySeconds };
      case "refused":
        return refuse(opened, history, outcome.error);
      case "failed": {
        const { code } = outcome.error;
        const retryAfterMs = parseRetryAfter(outcome.answer?.retryAfter, now());
        gate.failure({ deviceId, code, retryAfterMs, isFirst });
        const attempts = [...history, attemptOf(outcome, startedAt)];
        const othersSucceed = gate.hasSucceededSince(attempts[0]?.at ?? startedAt);
        const retryAfterSeconds = retryAfterMs && Math.ceil(retryAfterMs / 1000);
        const failed = { failure: classify(code), attempts: attempts.length, othersSucceed, retryAfterSeconds };
        const delaySeconds = nextStep(failed);
        if (delaySeconds === undefined) return bury(opened, attempts, outcome);
        return { kind: "again", delaySeconds, attempts };
      }
      default:
        return outcome satisfies never;
    }
  }

  function refuse(opened: OpenedMessage, attempts: readonly Attempt[], error: MessageError): Settlement {
    if (opened.routed === error) report.add(opened.routeName, { kind: "refused", error }, { messageId: opened.id });
    return die(opened, { reason: error.code, detail: error.message, attempts });
  }

  function bury(opened: OpenedMessage, attempts: readonly Attempt[], { error, request, answer }: FailedDelivery) {
    return die(opened, {
      reason: error.code,
      detail: error.message,
      attempts,
      ...(request === undefined ? {} : { request: requestOf(request) }),
      ...(answer === undefined
        ? {}
        : { answer: { status: answer.status, body: answer.body, isTruncated: answer.isTruncated } }),
    });
  }

  function die(
    opened: OpenedMessage,
    rest: Pick<DeadLetter, "reason" | "detail" | "attempts"> & Partial<Pick<DeadLetter, "request" | "answer">>,
  ): Settlement {
    report.deadLettered(opened.routeName);
    return { kind: "dead", letter: { ...letterOf(opened, now()), ...rest } };
  }
}

function attemptOf({ error, answer }: FailedDelivery, at: number): Attempt {
  return answer === undefined ? { at, code: error.code } : { at, code: error.code, status: answer.status };
}

function requestOf({ method, path, headers, body }: HttpRequest): NonNullable<DeadLetter["request"]> {
  const pairs = headers.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, headers[index + 1] ?? ""]] : [],
  );
  return { method, path, headers: pairs, body };
}
