import { randomMoments } from "../moments.ts";
import type { PlanContext } from "../plan.ts";
import { burst } from "../publisher.ts";

/** Messages that wait in the broker for an engine that is away, when it is killed. */
const leastQueued = 100;

/**
 * Ends Mosquitto with `kill -9` at random moments, with the engine away, and starts both again.
 *
 * Mosquitto 2.0 counts a message as a change to be saved when it has to queue it; one that it hands to the engine at once
 * it does not save. So what it can lose is bounded where the engine is away only: it sends a PUBACK and saves at the end
 * of its loop's pass, in which it reads one packet of each connection.
 */
export async function killBroker(context: PlanContext): Promise<void> {
  const { broker, engine, tally, progress, kills, note } = context;
  for (const { part } of randomMoments(kills, context)) {
    // A burst is coming, so that there is something to queue.
    const low = burst.again * tally.messages;
    await progress.until(() => tally.acknowledged >= part * tally.messages && tally.undelivered <= low);
    await engine.stop();
    // As many as the engine may have on its disk, and more.
    await progress.until(() => tally.undelivered >= low + leastQueued);
    note("kill -9 of Mosquitto, with the engine away");
    tally.noteBrokerKilled();
    await broker.kill();
    await broker.start();
    await engine.start();
  }
}
