import type { Attempt } from "./attempt-log.ts";
import { joinParts, type PartName } from "./dead-letter-parts.ts";
import type { DeadLetter, DeadLetterState } from "./dead-letters.ts";
import { maxItemBytes, storedBytes } from "./item-size.ts";
import { fromStored, type StoredBytes, toStored } from "./stored-bytes.ts";
import { expiresIn } from "./time-to-live.ts";

/** A dead letter as its table has it. */
export interface DeadLetterItem {
  readonly id: string;
  readonly route: string;
  readonly topic?: string;
  readonly deviceId?: string;
  readonly reason: string;
  readonly detail: string;
  readonly at: number;
  readonly request?: RequestItem;
  readonly answer?: { readonly status: number; readonly body: StoredBytes; readonly isTruncated: boolean };
  readonly attempts: readonly Attempt[];
  readonly message: string;
  readonly isMessageCut?: true;
  /** How many attributes hold the payload, which the message is without. */
  readonly parts?: number;
  readonly [part: PartName]: Uint8Array;
  readonly state: DeadLetterState;
  readonly stateAt: number;
  readonly expiresAt: number;
}

interface RequestItem {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: StoredBytes;
  readonly isBodyLeftOut?: true;
}

/** @param now Milliseconds since 1970, when its days begin. */
export function toItem(letter: DeadLetter, days: number, now: number): DeadLetterItem & Record<string, unknown> {
  const { id, route, topic, deviceId, reason, detail, at, request, answer, attempts, message, state, stateAt } = letter;
  const item: DeadLetterItem = {
    ...{ id, route: route.toWellFormed(), reason, detail: detail.toWellFormed(), at },
    ...(topic === undefined ? {} : { topic: topic.toWellFormed() }),
    ...(deviceId === undefined ? {} : { deviceId: deviceId.toWellFormed() }),
    ...(request === undefined ? {} : { request: toRequestItem(request) }),
    ...(answer === undefined
      ? {}
      : { answer: { ...answer, body: toStored(answer.body, { isCut: answer.isTruncated }) } }),
    ...{ attempts, message: message.toWellFormed(), state, stateAt },
    ...(letter.isMessageCut === true ? { isMessageCut: true } : {}),
    ...expiresIn(days, now),
  };
  return { ...shorten(item) };
}

export function fromItem(item: DeadLetterItem): DeadLetter {
  const { id, route, topic, deviceId, reason, detail, at, request, answer, attempts, state, stateAt } = item;
  return {
    ...{ id, route, topic, deviceId, reason, detail, at, attempts, state, stateAt },
    ...joinParts(item),
    ...(request === undefined ? {} : { request: { ...request, body: fromStored(request.body) } }),
    ...(answer === undefined ? {} : { answer: { ...answer, body: fromStored(answer.body) } }),
  };
}

function toRequestItem({
  method,
  path,
  headers,
  body,
  isBodyLeftOut,
}: NonNullable<DeadLetter["request"]>): RequestItem {
  const item = { method, path, headers, body: toStored(body) };
  return isBodyLeftOut === true ? { ...item, isBodyLeftOut: true } : item;
}

/** Leaves out what the message itself says too, and then what does not fit of it: rather a part of a record than none. */
function shorten(item: DeadLetterItem): DeadLetterItem {
  if (storedBytes(item) <= maxItemBytes) return item;
  if (item.request !== undefined && item.request.isBodyLeftOut !== true) {
    return shorten({ ...item, request: { ...item.request, body: "", isBodyLeftOut: true } });
  }
  const rest = storedBytes({ ...item, message: "", isMessageCut: true });
  return { ...item, message: cut(item.message, maxItemBytes - rest), isMessageCut: true };
}

/** The begin of a text, of so many bytes at most. */
function cut(text: string, bytes: number): string {
  const begin = Buffer.from(text).subarray(0, Math.max(0, bytes));
  const stored = toStored(begin, { isCut: true });
  return typeof stored === "string" ? stored : "";
}
