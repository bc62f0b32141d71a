/**
 * What AWS IoT Core tells a rule's error action: which actions failed, and the message as its device published it.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html
 */
export interface ErrorReport {
  readonly ruleName: string;
  readonly topic: string;
  /** `N/A` where no MQTT client sent the message. */
  readonly clientId?: string;
  readonly base64OriginalPayload: string;
  readonly failures: readonly ActionFailure[];
}

export interface ActionFailure {
  readonly failedAction: string;
  readonly failedResource: string;
  readonly errorMessage: string;
}

/** Reads an error action's report from the body of an SQS message; undefined where it is something else. */
export function readErrorReport(body: string): ErrorReport | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isErrorReport(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isErrorReport(value: unknown): value is ErrorReport {
  return (
    hasTexts(value, ["ruleName", "topic", "base64OriginalPayload"]) &&
    Array.isArray(value.failures) &&
    value.failures.every((failure) => hasTexts(failure, ["failedAction", "failedResource", "errorMessage"]))
  );
}

function hasTexts(value: unknown, names: readonly string[]): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  return names.every((name) => typeof fields[name] === "string");
}
