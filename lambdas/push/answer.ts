import type { KeptAnswer } from "../store/idempotency-keys.ts";
import { type ProblemCode, problems, problemType } from "./problems.ts";
import type { PushError } from "./push-error.ts";
import { toJson } from "./raw-json.ts";

/** What a request is answered, and what else is known of it. */
export interface Answer extends KeptAnswer {
  /** Of a problem. */
  readonly code?: ProblemCode;
  /** The command that was made. */
  readonly commandId?: string;
  /** Commands that were recorded. */
  readonly accepted?: number;
  /** What became of the others, by code. */
  readonly refused?: ReadonlyMap<ProblemCode, number>;
  /** The same request may come to something better when it is made again, and so the answer is not kept for it. */
  readonly isProvisional?: boolean;
}

type Facts = Omit<Answer, keyof KeptAnswer> & { readonly headers?: Readonly<Record<string, string>> };

export function answerJson(status: number, value: unknown, { headers = {}, ...facts }: Facts = {}): Answer {
  return { ...facts, status, headers: { "content-type": "application/json", ...headers }, body: toJson(value) };
}

/** A problem document (RFC 9457). @param extensions Members beside those that every one has. */
export function problemOf({ code, message, faults }: PushError, extensions: object = {}) {
  const { status, title } = problems[code];
  const errors = faults.length === 0 ? undefined : faults;
  return { type: problemType(code), title, status, detail: message, code, errors, ...extensions };
}

/** A problem document as the answer. None is kept for an Idempotency-Key: what failed may succeed, and what is wrong is told anew. */
export function answerProblem(error: PushError, extensions: object = {}, facts: Facts = {}): Answer {
  const { code, headers } = error;
  const { status } = problems[code];
  return {
    ...facts,
    ...{ code, status },
    headers: { ...headers, ...facts.headers, "content-type": "application/problem+json" },
    body: toJson(problemOf(error, extensions)),
    isProvisional: true,
  };
}
