import type { InvocationError } from "./execution-environment.ts";

/** An asynchronous event that came to nothing. */
export interface FailedEvent {
  readonly requestId: string;
  readonly functionArn: string;
  /** Why it is not tried again. */
  readonly condition: "RetriesExhausted" | "EventAgeExceeded";
  readonly invokeCount: number;
  readonly timestampMs: number;
  /** JSON text. */
  readonly payload: string;
  /** Of the last attempt, where that is known. */
  readonly error?: InvocationError;
}

/**
 * What Lambda sends to an on-failure destination, as JSON text. The event in it is the text that the function was given:
 * numbers keep their digits.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function destinationRecord(event: FailedEvent): string {
  const { requestId, functionArn, condition, invokeCount, timestampMs, payload, error } = event;
  const head = {
    version: "1.0",
    timestamp: new Date(timestampMs).toISOString(),
    requestContext: {
      requestId,
      functionArn: `${functionArn}:$LATEST`,
      condition,
      approximateInvokeCount: invokeCount,
    },
  };
  const members = [JSON.stringify(head).slice(1, -1), `"requestPayload":${payload}`];
  if (error !== undefined) {
    const response = {
      responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
      responsePayload: { errorMessage: error.message, errorType: error.type },
    };
    members.push(JSON.stringify(response).slice(1, -1));
  }
  return `{${members.join()}}`;
}
