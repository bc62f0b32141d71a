import type { CommandPublisher } from "../publish/command-publisher.ts";
import type { Feeds } from "./commands.ts";
import { publishMs } from "./publish-to-brokers.ts";

/** Publishes to all brokers, and fails with the first that did not acknowledge when all have been waited for. */
export function openFeeds(publishers: readonly CommandPublisher[]): Feeds {
  return {
    async publish(message) {
      const outcomes = await Promise.allSettled(
        publishers.map((publisher) => publisher.publish(message, { timeoutMs: publishMs })),
      );
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    },
  };
}
