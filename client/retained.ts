import type { Claim, FilterTable } from "./filter-table.ts";
import type { Link } from "./link.ts";
import type { Message } from "./message.ts";
import type { Pending } from "./pending.ts";

/**
 * Settles a call with the retained message of a topic: what the broker gives between the SUBSCRIBE and its answer to a
 * ping that comes behind it. Brokers keep to that order, though no clause of MQTT makes them.
 *
 * QoS 0, which no window of unacknowledged messages holds back.
 */
export function readRetained(
  { topic, timeoutMs }: { readonly topic: string; readonly timeoutMs: number },
  { filters, link }: { readonly filters: FilterTable; readonly link: Link },
  pending: Pending<Message | undefined>,
): void {
  const claim: Claim = {
    ...{ filter: topic, qos: 0 },
    take: (message) => message.isRetained && pending.resolve(message),
    granted: () => void settle(),
    ended: (error) => pending.reject(error),
  };
  const settle = async () => {
    if (await link.ping(timeoutMs)) pending.resolve(undefined);
    if (pending.isSettled) return;
    // On the next connection.
    filters.release(claim);
    filters.claim(claim);
  };
  pending.onSettled = () => filters.release(claim);
  const begin = () => !pending.isSettled && filters.claim(claim);
  // What the broker gave to others may be under way, and be older than what it has now.
  if (filters.has(topic)) void link.ping(timeoutMs).then(begin);
  else begin();
}
