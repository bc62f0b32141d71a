import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { randomSeconds } from "../misbehave.ts";
import { randomMoment, untilMoment } from "../moments.ts";
import type { PlanContext } from "../plan.ts";
import { burst } from "../publisher.ts";

/** Part of a run's messages that the disk has room for, of which a burst is thrice as many. */
const room = 1 / 20;
/** Of a message in the engine's database, roughly. */
const bytesPerMessage = 600;

/**
 * Starts the engine on a disk that soon is full, with the API away so that nothing makes room: messages are refused
 * without a PUBACK. Then the API comes back, what is on disk is delivered, and what was refused comes into its place, and
 * at last onto a large disk.
 */
export async function diskFull(context: PlanContext): Promise<void> {
  const { api, engine, tally, progress, note, dataFolder } = context;
  const moment = randomMoment(context);
  const lasting = randomSeconds(context);
  await untilMoment(moment, context);
  // A burst has to come, and find the engine stopped, that does not fit.
  await progress.until(() => tally.undelivered <= tally.messages * burst.again);
  note("the engine gets a small disk, and the API's port is closed");
  await engine.stop();
  await api.behave({ kind: "down" });
  const bytes = compact(dataFolder) + tally.messages * room * bytesPerMessage;
  tally.noteEngineRefusing();
  await engine.start(["--max-store-bytes", String(Math.ceil(bytes))]);
  const { refusals } = engine;
  await progress.until(() => engine.refusals > refusals);
  note("the engine's disk is full, messages are refused");
  await progress.pass(lasting);
  note(`the API is back, after ${engine.refusals - refusals} refusals`);
  const { received } = tally;
  const kept = engine.counts?.pending ?? 0;
  await api.behave({ kind: "proper" });
  await progress.until(() => tally.received >= received + kept);
  note(`the ${kept} messages that the disk has held are delivered; the engine gets a large disk again`);
  await engine.stop();
  tally.noteEngineTaking();
  await engine.start();
}

/** Gives back what the store has freed, which else would be room, and tells its size in bytes. */
function compact(dataFolder: string): number {
  const database = new DatabaseSync(join(dataFolder, "queues.sqlite"));
  try {
    database.exec("VACUUM");
    const { bytes } = database
      .prepare("SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size")
      .get() as { bytes: number };
    return bytes;
  } finally {
    database.close();
  }
}
