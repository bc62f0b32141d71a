import { encodeCommand } from "../../scheme/command/command-message.ts";
import type { CommandDraft } from "../commands/commands.ts";
import { maxPayloadBytes } from "../publish/limits.ts";
import type { Seed } from "../store/idempotency-keys.ts";
import { PushError } from "./push-error.ts";
import type { ReadBody } from "./read-body.ts";
import { defaultExpirySeconds, type sendCommandBody } from "./request-schemas.ts";

/** What a caller wants a device to do, before it is a command of one device. */
export interface WantedCommand {
  readonly kind: CommandDraft["kind"];
  /** JSON text, as the caller spelled it. */
  readonly body: string;
  /** Of a request. */
  readonly expiresInSeconds: number | undefined;
}

/**
 * Reads what a caller wants out of a body.
 *
 * @throws {PushError} `EXPIRY_INVALID`, `PAYLOAD_TOO_LARGE`
 */
export function readWanted({ value: { kind, expiresIn }, raw }: ReadBody<typeof sendCommandBody>): WantedCommand {
  if (kind === "state" && expiresIn !== undefined) {
    const detail = `expiresIn is ${expiresIn}, and kind is "state": a state does not expire`;
    throw new PushError("EXPIRY_INVALID", detail, { faults: [{ pointer: "#/expiresIn", detail }] });
  }
  const args = raw.get("args");
  const body = `{"command":${raw.get("command")}${args === undefined ? "" : `,"args":${args}`}}`;
  const wanted = { kind, body, expiresInSeconds: kind === "request" ? (expiresIn ?? defaultExpirySeconds) : undefined };
  checkSize(wanted);
  return wanted;
}

export function draftCommand(
  { kind, body, expiresInSeconds }: WantedCommand,
  deviceId: string,
  seed: Seed,
): CommandDraft {
  const { id, issuedAt } = seed;
  return {
    ...{ id, deviceId, body, issuedAt, kind },
    ...(expiresInSeconds === undefined ? {} : { deadlineAt: issuedAt + expiresInSeconds * 1000 }),
  };
}

/** The limit is one on what brokers carry: ids and times of all commands are as long as these. */
function checkSize({ kind, body }: WantedCommand): void {
  const at = Date.UTC(2026, 0, 1);
  const commandId = "0190b5d6-1b9c-7000-8000-000000000000";
  const more = kind === "state" ? { version: at } : { expiresAt: at };
  const { length } = encodeCommand({ commandId, kind, issuedAt: at, body, ...more });
  if (length <= maxPayloadBytes) return;
  const detail = `the command has ${length} bytes with its envelope, the limit is ${maxPayloadBytes}`;
  throw new PushError("PAYLOAD_TOO_LARGE", detail);
}
