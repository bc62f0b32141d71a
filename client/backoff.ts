/** How long a connection has to last before the next one that is lost counts as the first. */
export const stableMs = 10_000;

/** Bounds of the wait before an attempt to connect, where nobody says otherwise. */
export const defaultReconnectDelay = { minMs: 1_000, maxMs: 30_000 } as const;

/**
 * Milliseconds before an attempt to connect, by full jitter: clients that lost their broker together come back spread
 * out.
 *
 * @param attempt 0 for the first.
 * @param random From 0 to 1.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function reconnectDelayMs(
  attempt: number,
  random: number,
  { minMs, maxMs }: { readonly minMs: number; readonly maxMs: number },
): number {
  return random * Math.min(maxMs, minMs * 2 ** attempt);
}
