import { randomMoments, untilMoment } from "../moments.ts";
import type { PlanContext } from "../plan.ts";

/**
 * Ends the engine with `kill -9` at random moments and starts it again at once.
 *
 * The engine deletes a message when its whole batch is done: after the API's answer to it pass, at most, the time that
 * another one of the batch may take, and as much again until that is on disk. What the API takes while the engine is
 * started is the killed one's, on its way still.
 */
export async function killEngine(context: PlanContext): Promise<void> {
  const { engine, scheme, tally, kills, note } = context;
  for (const moment of randomMoments(kills, context)) {
    await untilMoment(moment, context);
    note("kill -9 of the engine");
    tally.noteEngineKilled(2 * scheme.api.timeoutMs);
    await engine.kill();
    await engine.start();
    tally.noteEngineRunning();
  }
}
