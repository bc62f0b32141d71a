import type { DeadLetterItem } from "./dead-letter-item.ts";
import { maxItemBytes, storedBytes } from "./item-size.ts";

/** Part of a payload that is too large to come at once. */
export interface LetterPart {
  /** Which one this is, from 0. */
  readonly part: number;
  readonly parts: number;
  readonly payload: Uint8Array;
}

/** How a part's attribute is called. */
export type PartName = `part${number}`;

/** What an attribute's name counts for in an item's size. */
const nameBytes = 10;

/**
 * The attributes that a part adds to the item of its dead letter. No part takes more than its share of what an item can
 * be, so that the others fit whichever comes first; one that would is left out.
 */
export function partAttributes(
  item: DeadLetterItem,
  { part, parts, payload }: LetterPart,
): Pick<DeadLetterItem, "parts" | PartName> {
  const room = Math.floor((maxItemBytes - storedBytes(item)) / parts) - nameBytes;
  return { parts, ...(payload.length <= room ? { [`part${part}`]: payload } : {}) };
}

/** The message with the payload of all parts, or with what there is up to the first that is missing. */
export function joinParts(item: DeadLetterItem): { readonly message: string; readonly isMessageCut?: true } {
  const { message, parts = 0, isMessageCut } = item;
  if (parts === 0 || isMessageCut === true) return { message, ...(isMessageCut === true ? { isMessageCut } : {}) };
  const payloads: Uint8Array[] = [];
  for (let part = 0; part < parts; part += 1) {
    const payload = item[`part${part}`];
    if (payload === undefined) break;
    payloads.push(payload);
  }
  const data = Buffer.concat(payloads).toString("base64");
  const whole = JSON.stringify({ ...JSON.parse(message), data });
  return payloads.length === parts ? { message: whole } : { message: whole, isMessageCut: true };
}
