import type { BrokerMarks } from "../store/broker-marks.ts";
import { deviceIdOf } from "../store/device-states.ts";
import type { DueItems } from "../store/due-items.ts";
import { inParallel } from "./in-parallel.ts";
import { type CommandParts, publishRecorded } from "./open-commands.ts";
import { sendRequest } from "./send-request.ts";
import { syncBroker } from "./sync-broker.ts";

export interface SweepOptions extends CommandParts {
  readonly marks: BrokerMarks;
  readonly dueItems: DueItems;
  /** When to stop, in milliseconds since 1970; the next run goes on. */
  readonly deadlineAt: number;
  /** What could not be done, which is tried again later. `subject` is a command's id, a device's item or a broker. */
  readonly onError: (error: unknown, subject: string) => void;
}

/** What a sweep did, for the log. */
export interface Swept {
  /** Commands that were published, or expired. */
  commands: number;
  /** Devices whose brokers were brought up to date. */
  devices: number;
  /** Devices that brokers were given since these were new or had lost what they had. */
  synced: number;
}

/** Due items of one partition of the index in one run. */
const limit = 500;

/** At one time. */
const parallel = 20;

/** After how long something that could not be done is looked at again: the next run but one has others to do. */
const againMs = 60_000;

/** A request that was published this lately is on its way still. */
const underWayMs = 5_000;

/**
 * Does what is left to be done: publishes what was recorded and not published, expires requests, and brings brokers up to
 * date that were away or are new.
 */
export async function sweep(options: SweepOptions): Promise<Swept> {
  const { dueItems, states, ledger, publishers, now, deadlineAt, onError } = options;
  const swept: Swept = { commands: 0, devices: 0, synced: 0 };
  const attempt = async (subject: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      onError(error, subject);
    }
  };
  await Promise.all(
    publishers.map((publisher) =>
      attempt(publisher.name, async () => {
        swept.synced += (await syncBroker(publisher, options)) ?? 0;
      }),
    ),
  );
  await inParallel(await dueItems.until(now(), limit), parallel, async ({ id }) => {
    if (now() >= deadlineAt) return;
    const deviceId = deviceIdOf(id);
    await attempt(id, async () => {
      // First put off, so that what fails, or kills us, does not stand before all others for ever.
      if (deviceId === undefined) {
        await ledger.postpone(id, now() + againMs);
        await sweepCommand(id, options);
        swept.commands += 1;
      } else {
        await states.postpone(deviceId, now() + againMs);
        await sweepDevice(deviceId, options);
        swept.devices += 1;
      }
    });
  });
  return swept;
}

/** Sends a device's open requests again: it has come online, or said something. */
export async function resendRequests(deviceId: string, options: CommandParts): Promise<number> {
  const { ledger, now } = options;
  const open = await ledger.openRequestsOf(deviceId);
  const waiting = open.filter(({ attempts }) => (attempts.at(-1)?.at ?? 0) < now() - underWayMs);
  // One after the other: they are asked in the order in which they were issued.
  for (const record of waiting) await sendRequest(record, options);
  return waiting.length;
}

async function sweepCommand(id: string, options: SweepOptions): Promise<void> {
  const { ledger, now } = options;
  const record = await ledger.get(id);
  if (record === undefined) return;
  const { state, deadlineAt } = record;
  if (state === "recorded") await publishRecorded(record, options, true);
  else if (state === "published" && deadlineAt !== undefined && deadlineAt <= now()) await ledger.end(id, "expired");
}

async function sweepDevice(deviceId: string, { copies, ledger, deadlineAt }: SweepOptions): Promise<void> {
  const { place } = await copies.bringUpToDate(deviceId, { deadlineAt });
  if (place.previousId === undefined) return;
  await ledger.end(place.previousId, place.command === undefined ? "cleared" : "superseded");
}
