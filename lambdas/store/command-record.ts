import type { CommandKind, CommandState, ReplyStatus } from "../../scheme/command/command.ts";

/** One try to have a broker take a command. */
export interface PublishAttempt {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The broker's name. */
  readonly broker: string;
  /** Absent where the broker acknowledged it. */
  readonly error?: string;
}

/** What the device answered. */
export interface RecordedReply {
  readonly status: ReplyStatus;
  /** Milliseconds since 1970, when it arrived. */
  readonly at: number;
  /** JSON text as the device spelled it. */
  readonly body: string;
}

/** A command in the ledger. Times are in milliseconds since 1970. */
export interface CommandRecord {
  readonly id: string;
  readonly deviceId: string;
  readonly kind: CommandKind;
  /** JSON text of the message's body: `{"command":…,"args":…}` as the caller spelled it. */
  readonly body: string;
  readonly state: CommandState;
  /** Of a state, once it has its place among the others of its device: greater is newer. */
  readonly version?: number;
  readonly issuedAt: number;
  /** Of a request: when it is of no use any more. */
  readonly deadlineAt?: number;
  /** When the first broker acknowledged it. */
  readonly publishedAt?: number;
  /** When it came to its end. */
  readonly endedAt?: number;
  /** The last 20. */
  readonly attempts: readonly PublishAttempt[];
  readonly reply?: RecordedReply;
}

/** How a device is to be, as far as its state commands say. */
export interface DeviceRecord {
  readonly deviceId: string;
  /** Of the newest state command or clearing; 0 where there was none. */
  readonly version: number;
  /** The newest state command; undefined where there is none, or it was cleared. */
  readonly command: Pick<CommandRecord, "id" | "body" | "issuedAt"> | undefined;
  /** Versions that brokers have acknowledged, by their names. */
  readonly copies: ReadonlyMap<string, number>;
}
