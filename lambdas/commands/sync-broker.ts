import { randomUUID } from "node:crypto";
import { deviceIdLevel, fillTemplate } from "../../scheme/topic-template.ts";
import type { CommandPublisher } from "../publish/command-publisher.ts";
import type { BrokerMarks } from "../store/broker-marks.ts";
import { inParallel } from "./in-parallel.ts";
import type { CommandParts } from "./open-commands.ts";
import { publishMs } from "./publish-to-brokers.ts";

/** Stands where a device's id would: the dot, which no device id has, keeps it apart from them. */
const markerLevel = "trestle.generation";

/** Devices at one time. */
const parallel = 50;

export interface SyncOptions extends CommandParts {
  readonly marks: BrokerMarks;
  /** When to stop, in milliseconds since 1970; the next run begins anew. */
  readonly deadlineAt: number;
}

/**
 * Gives a broker the states of all devices if it is new, or has lost what it retained: it then lacks the retained
 * marker that was left with the last of them.
 *
 * @returns How many devices it was brought up to date with; undefined where it has its marker.
 * @throws {PublishError} where it cannot be asked.
 */
export async function syncBroker(publisher: CommandPublisher, options: SyncOptions): Promise<number | undefined> {
  const { marks, states, copies, topic, now, deadlineAt } = options;
  const { name } = publisher;
  const marker = fillTemplate(topic, (level) => (level === deviceIdLevel ? markerLevel : ""));
  const [retained, { generation }] = await Promise.all([
    publisher.readRetained(marker, { timeoutMs: publishMs }),
    marks.get(name),
  ]);
  if (generation !== undefined && retained?.toString() === generation) return undefined;
  let devices = 0;
  for await (const page of states.all()) {
    await inParallel(page, parallel, async (deviceId) => {
      if (now() < deadlineAt) await copies.bringUpToDate(deviceId, { deadlineAt, suspects: [name] });
    });
    if (now() >= deadlineAt) return devices;
    devices += page.length;
  }
  const next = randomUUID();
  // The broker's first: if we end between the two, it all is done once more.
  await publisher.publish({ topic: marker, payload: Buffer.from(next), isRetained: true }, { timeoutMs: publishMs });
  await marks.set(name, next);
  return devices;
}
