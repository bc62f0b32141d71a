import type { CommandPublisher, OutgoingMessage } from "../publish/command-publisher.ts";
import { PublishError } from "../publish/publish-error.ts";
import type { PublishAttempt } from "../store/command-record.ts";

/** Milliseconds that a broker has to acknowledge a message, a connection to it included. */
export const publishMs = 2_000;

/** Milliseconds for which a broker that did not answer is left alone, where there are others. */
const awayMs = 5_000;

/** Until when brokers that did not answer are left alone, by the publisher; the others must not wait for them each time. */
const awayUntil = new WeakMap<CommandPublisher, number>();

/**
 * Publishes a message to several brokers side by side, each attempt told with its outcome. A broker that did not answer
 * lately is not asked again for five seconds, unless it is the only one.
 */
export async function publishToBrokers(
  publishers: readonly CommandPublisher[],
  message: OutgoingMessage,
  now: () => number,
): Promise<readonly PublishAttempt[]> {
  const isAway = (publisher: CommandPublisher) => (awayUntil.get(publisher) ?? 0) > now();
  const asked = publishers.length === 1 ? publishers : publishers.filter((publisher) => !isAway(publisher));
  return await Promise.all(asked.map((publisher) => attempt(publisher, message, now)));
}

/** The brokers that acknowledged it. */
export function acknowledgedBy(attempts: readonly PublishAttempt[]): readonly string[] {
  return attempts.filter(({ error }) => error === undefined).map(({ broker }) => broker);
}

/** When the first of them did, in milliseconds since 1970; undefined where none did. */
export function acknowledgedAt(attempts: readonly PublishAttempt[]): number | undefined {
  const times = attempts.flatMap(({ at, error }) => (error === undefined ? [at] : []));
  return times.length === 0 ? undefined : Math.min(...times);
}

async function attempt(
  publisher: CommandPublisher,
  message: OutgoingMessage,
  now: () => number,
): Promise<PublishAttempt> {
  const { name: broker } = publisher;
  try {
    await publisher.publish(message, { timeoutMs: publishMs });
    awayUntil.delete(publisher);
    return { at: now(), broker };
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    if (error.code === "BROKER_TIMEOUT" || error.code === "BROKER_UNREACHABLE") {
      awayUntil.set(publisher, now() + awayMs);
    }
    return { at: now(), broker, error: `${error.code}: ${error.message}` };
  }
}
