import type * as z from "zod";
import type { CommandRecord, DeviceRecord } from "../store/command-record.ts";
import { cutMembers } from "./cut-members.ts";
import { RawJson } from "./raw-json.ts";
import type { command, device, outcome } from "./response-schemas.ts";

/** A command as callers see it. */
export function viewCommand(record: CommandRecord): z.input<typeof command> {
  const { id, deviceId, kind, state, version, issuedAt, deadlineAt, publishedAt, endedAt, attempts, reply } = record;
  return {
    ...{ id, deviceId, kind },
    ...viewBody(record.body),
    ...{ state, version },
    issuedAt: toTime(issuedAt),
    ...given("expiresAt", deadlineAt),
    ...given("publishedAt", publishedAt),
    ...given("endedAt", endedAt),
    attempts: attempts.map(({ at, broker, error }) => ({ at: toTime(at), broker, error })),
    ...(reply && { reply: { status: reply.status, at: toTime(reply.at), body: new RawJson(reply.body) } }),
  };
}

/** A command as one of many: its caller knows what it wanted, and a thousand times of that may be too much to answer. */
export function viewOutcome(record: CommandRecord): NonNullable<z.input<typeof outcome>["command"]> {
  const { args: _, ...view } = viewCommand(record);
  return view;
}

/** A device as callers see it. */
export function viewDevice({ deviceId, version, command: newest, copies }: DeviceRecord): z.input<typeof device> {
  return {
    ...{ deviceId, version },
    ...(newest && {
      command: { id: newest.id, ...viewBody(newest.body), issuedAt: toTime(newest.issuedAt) },
    }),
    brokers: Object.fromEntries(copies),
  };
}

/** `command` and `args` of a message's body. */
function viewBody(body: string): { command: string; args?: RawJson } {
  const members = new Map(cutMembers(Buffer.from(body)));
  const args = members.get("args");
  return {
    command: JSON.parse(members.get("command") ?? '""'),
    ...(args === undefined ? {} : { args: new RawJson(args) }),
  };
}

function toTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function given<Name extends string>(name: Name, milliseconds: number | undefined): { [name in Name]?: string } {
  return (milliseconds === undefined ? {} : { [name]: toTime(milliseconds) }) as { [name in Name]?: string };
}
