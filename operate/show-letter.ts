import type { DeadLetter } from "../lambdas/store/dead-letters.ts";
import { printable, printableBody, printableTime } from "./printable.ts";

/**
 * Header fields whose values are not shown. What `api.headers` takes from a secret is not in a record in the first
 * place; these are the device's own.
 */
const maskedHeaders: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie"]);

/** All that is known of a dead letter, as lines. */
export function showLetter(letter: DeadLetter): readonly string[] {
  const { id, route, topic, deviceId, reason, detail, at, state, stateAt, attempts, request, answer } = letter;
  const fields: readonly (readonly [string, string])[] = [
    ["id", id],
    ["route", route],
    ["device", deviceId ?? "(not known)"],
    ["topic", topic === undefined ? "(not known)" : printable(topic)],
    ["reason", `${reason}: ${printable(detail)}`],
    ["died", printableTime(at)],
    ["state", state === "dead" ? state : `${state} ${printableTime(stateAt)}`],
  ];
  return [
    ...fields.map(([name, value]) => `${name.padEnd(8)}${value}`),
    "",
    attempts.length === 0 ? "attempts: none is known" : "attempts",
    ...attempts.map((attempt, index) => `  ${index + 1}  ${printableTime(attempt.at)}  ${attempt.code}`),
    ...(request === undefined ? [] : showRequest(request)),
    ...(answer === undefined ? [] : showAnswer(answer)),
    "",
    "message, as a replay sends it",
    indent(printable(letter.message)),
  ];
}

function showRequest(request: NonNullable<DeadLetter["request"]>): readonly string[] {
  const { method, path, headers, body, isBodyLeftOut } = request;
  const fields = headers.map(
    ([name, value]) => `  ${name}: ${maskedHeaders.has(name) ? "(masked)" : printable(value)}`,
  );
  return [
    "",
    "request",
    `  ${method} ${printable(path)}`,
    ...fields,
    "",
    indent(isBodyLeftOut ? tooLarge : printableBody(body)),
  ];
}

const tooLarge = "(the body is too large for the record; the message has it)";

function showAnswer({ status, body, isTruncated }: NonNullable<DeadLetter["answer"]>): readonly string[] {
  const extent = isTruncated ? `  (the first ${body.length} bytes)` : "";
  return ["", `answer  ${status}${extent}`, indent(printableBody(body))];
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
