import type { CommandRecord, DeviceRecord } from "../store/command-record.ts";

/** A command as its caller wants it. */
export interface CommandDraft {
  /** UUID version 7; the same command has the same id at every try. */
  readonly id: string;
  readonly deviceId: string;
  /** JSON text `{"command":…,"args":…}`. */
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly kind: "state" | "request";
  /** Milliseconds since 1970; a request's, absent from a state. */
  readonly deadlineAt?: number;
}

export interface ListOptions {
  /** Records at most, 1 to 100. */
  readonly limit: number;
  /** Only commands that are older than this one. */
  readonly before?: string;
}

/** Waits for the device's answer to one command. */
export interface ReplyWait extends AsyncDisposable {
  /** The record with the reply in it, or undefined when the time is over. @param deadlineAt Milliseconds since 1970. */
  answered(deadlineAt: number): Promise<CommandRecord | undefined>;
}

/**
 * What the push endpoint does with commands, apart from HTTP. Each function may reject with an error of the ledger
 * (DynamoDB); brokers that do not answer are no error, what is recorded reaches them later.
 */
export interface Commands {
  /**
   * Records a command and publishes it. The record that it gives is `recorded` where no broker has taken it yet,
   * `published`, or already further. A draft whose id is recorded already is not recorded again: the same command goes on.
   */
  send(draft: CommandDraft): Promise<CommandRecord>;
  /** Takes the retained command of a device back, `clearingId` being a UUID version 7 as a command's id is. */
  clear(deviceId: string, clearingId: string): Promise<DeviceRecord>;
  get(id: string): Promise<CommandRecord | undefined>;
  /** Newest first. */
  list(deviceId: string, options: ListOptions): Promise<readonly CommandRecord[]>;
  device(deviceId: string): Promise<DeviceRecord>;
  /** Subscribes to the device's replies, which has to be done before the command is sent. */
  awaitReply(deviceId: string, commandId: string): Promise<ReplyWait>;
}

/** Publishes a message of a feed to all brokers, which is recorded nowhere. */
export interface Feeds {
  /** Resolves when every broker has acknowledged it. @throws {PublishError} of the first broker that has not. */
  publish(message: {
    readonly topic: string;
    readonly payload: Uint8Array;
    readonly isRetained: boolean;
  }): Promise<void>;
}
