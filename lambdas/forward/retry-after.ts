/** Least and most that is waited for an API's word, in milliseconds: SQS cannot keep a message back for longer. */
const limitsMs = { least: 1_000, most: 12 * 3_600_000 } as const;

/** `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of RFC 9110 §5.6.7 that servers may send. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Milliseconds to wait that a `Retry-After` asks for, seconds or a date, within 1 s and 12 h; undefined for anything
 * else, which is ignored.
 *
 * @param now Milliseconds since 1970.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const waitMs = readWait(value?.trim() ?? "", now);
  return Number.isNaN(waitMs) ? undefined : Math.min(limitsMs.most, Math.max(limitsMs.least, waitMs));
}

function readWait(text: string, now: number): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  return httpDate.test(text) ? Date.parse(text) - now : Number.NaN;
}
