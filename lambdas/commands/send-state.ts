import type { CommandRecord, DeviceRecord } from "../store/command-record.ts";
import type { CommandLedger } from "../store/commands.ts";
import type { DeviceState, DeviceStates } from "../store/device-states.ts";
import type { Brought, StateCopies } from "./state-copies.ts";

export interface SendStateOptions {
  readonly ledger: CommandLedger;
  readonly states: DeviceStates;
  readonly copies: StateCopies;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Milliseconds after which a caller is told that its command is recorded, whatever the brokers do. */
const patienceMs = 8_000;

/** A process that was frozen for longer than this before it gave a command its place looks what has come meanwhile. */
const freshMs = 5_000;

/**
 * Gives a recorded state command its place among those of its device, and publishes the newest.
 *
 * @param isLeftBehind It was recorded a while ago and not published: what came after it stays the newest.
 */
export async function sendState(
  record: CommandRecord,
  { ledger, states, copies, now }: SendStateOptions,
  isLeftBehind = false,
): Promise<CommandRecord> {
  const { id, deviceId, body, issuedAt } = record;
  if ((isLeftBehind || now() - issuedAt > freshMs) && isOutdated(record, await states.get(deviceId))) {
    return (await ledger.end(id, "superseded")) ?? record;
  }
  const brought = await copies.advance(deviceId, { id, issuedAt, body }, { deadlineAt: now() + patienceMs });
  await endPrevious(brought, ledger, "superseded");
  return await note(record, brought, ledger);
}

/** Takes back what a device is to be: the zero-byte retained message that clears the topic is a version too. */
export async function clearState(
  deviceId: string,
  clearingId: string,
  { ledger, copies, now }: SendStateOptions,
): Promise<DeviceRecord> {
  const advance = { id: clearingId, issuedAt: now(), body: undefined };
  const brought = await copies.advance(deviceId, advance, { deadlineAt: now() + patienceMs });
  await endPrevious(brought, ledger, "cleared");
  return brought.device;
}

function isOutdated({ id, issuedAt }: CommandRecord, { newestId, newestAt }: DeviceState): boolean {
  return newestId !== undefined && newestId !== id && newestAt > issuedAt;
}

async function endPrevious({ place }: Brought, ledger: CommandLedger, state: "superseded" | "cleared"): Promise<void> {
  if (place.previousId !== undefined) await ledger.end(place.previousId, state);
}

async function note(record: CommandRecord, brought: Brought, ledger: CommandLedger): Promise<CommandRecord> {
  const { place, device, attempts, publishedAt } = brought;
  const { id } = record;
  const overtaken = device.command === undefined ? "cleared" : "superseded";
  // Somebody else gave it its place, and another has it by now.
  if (place.newestId !== id) return (await ledger.end(id, overtaken)) ?? record;
  const noted = await ledger.notePublication(record, { version: place.version, attempts, at: publishedAt });
  return device.newestId === id ? noted : ((await ledger.end(id, overtaken)) ?? noted);
}
