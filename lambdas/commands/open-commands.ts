import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Scheme } from "../../scheme/scheme.ts";
import type { CommandPublisher } from "../publish/command-publisher.ts";
import type { CommandRecord } from "../store/command-record.ts";
import { CommandLedger } from "../store/commands.ts";
import { DeviceStates } from "../store/device-states.ts";
import { awaitReply } from "./await-reply.ts";
import type { Commands } from "./commands.ts";
import { sendRequest } from "./send-request.ts";
import { clearState, sendState } from "./send-state.ts";
import { StateCopies } from "./state-copies.ts";

export interface PartsOptions {
  readonly client: DynamoDBDocumentClient;
  /** The commands' table. */
  readonly table: string;
  readonly publishers: readonly CommandPublisher[];
  readonly scheme: { readonly commands: Pick<NonNullable<Scheme["commands"]>, "topic" | "replies"> };
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface CommandsOptions extends PartsOptions {
  /** Told why a broker's replies are not heard. */
  readonly onDeaf: (error: unknown) => void;
}

/** The parts that commands are made of, for the functions that do something with them. */
export interface CommandParts {
  readonly ledger: CommandLedger;
  readonly states: DeviceStates;
  readonly copies: StateCopies;
  readonly publishers: readonly CommandPublisher[];
  /** The commands'. */
  readonly topic: PartsOptions["scheme"]["commands"]["topic"];
  readonly now: () => number;
}

export function openParts({ client, table, publishers, scheme, now = Date.now }: PartsOptions): CommandParts {
  const ledger = new CommandLedger(client, table, now);
  const states = new DeviceStates(client, table, now);
  const { topic } = scheme.commands;
  return { ledger, states, copies: new StateCopies({ states, publishers, topic, now }), publishers, topic, now };
}

export function openCommands(options: CommandsOptions): Commands {
  const parts = openParts(options);
  const { ledger, states, publishers, now } = parts;
  return {
    async send({ kind, ...draft }) {
      const { record, isNew } = await ledger.record({ ...draft, kind });
      if (record.state !== "recorded") return record;
      return await publishRecorded(record, parts, !isNew);
    },
    clear: (deviceId, clearingId) => clearState(deviceId, clearingId, parts),
    async get(id) {
      const record = await ledger.get(id);
      return record && (await settle(record, parts));
    },
    async list(deviceId, listOptions) {
      const records = await ledger.list(deviceId, listOptions);
      return await Promise.all(records.map((record) => settle(record, parts)));
    },
    device: (deviceId) => states.get(deviceId),
    awaitReply: (deviceId, commandId) =>
      awaitReply(deviceId, commandId, {
        ...{ ledger, publishers, now, onDeaf: options.onDeaf },
        topic: options.scheme.commands.replies,
      }),
  };
}

/**
 * Publishes a command that is recorded and not published.
 *
 * @param isLeftBehind Whoever recorded it may have done a part of this already.
 */
export async function publishRecorded(
  record: CommandRecord,
  parts: CommandParts,
  isLeftBehind: boolean,
): Promise<CommandRecord> {
  return record.kind === "state" ? await sendState(record, parts, isLeftBehind) : await sendRequest(record, parts);
}

/**
 * Ends what is over and was not ended yet: a request past its deadline, which the sweeper has not come to, and a state
 * whose successor was recorded by a process that died right after.
 */
async function settle(record: CommandRecord, { ledger, states, now }: CommandParts): Promise<CommandRecord> {
  const { id, state, kind, deadlineAt, deviceId, version } = record;
  if (state !== "recorded" && state !== "published") return record;
  if (kind === "request") {
    return deadlineAt !== undefined && deadlineAt <= now() ? ((await ledger.end(id, "expired")) ?? record) : record;
  }
  if (version === undefined) return record;
  const device = await states.get(deviceId);
  if (device.version <= version) return record;
  return (await ledger.end(id, device.command === undefined ? "cleared" : "superseded")) ?? record;
}
