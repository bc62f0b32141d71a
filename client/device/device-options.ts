import type { ClientOptions } from "../client-options.ts";
import type { CommandHandler } from "./commands.ts";
import type { DeviceError } from "./device-error.ts";
import type { DeviceStore } from "./store.ts";

/** A device's commands: both or neither of the two. */
export type DeviceCommandOptions =
  | {
      /** As the scheme has them: `{deviceId}` is the device's id. Topic names do as well. */
      readonly commands: { readonly topic: string; readonly replies: string };
      readonly onCommand: CommandHandler;
    }
  | { readonly commands?: undefined; readonly onCommand?: undefined };

/** `clientId` and `username` are the device's id where nothing else is said, here or in the URL. */
export type DeviceOptions = DeviceCommandOptions &
  Omit<ClientOptions, "isReconnecting" | "maxInFlight"> & {
    readonly deviceId: string;
    /** Told what nobody waits for: malformed commands, a store that fails, what is lost. */
    readonly onProblem?: (error: DeviceError) => void;
    /** Keeps what has to outlive the process; nothing does by default. */
    readonly store?: DeviceStore;
    /** Messages that are kept until the broker has acknowledged them; 1,000 by default, and as many answers. */
    readonly maxUnacknowledged?: number;
    /** Commands whose answers are remembered, and as many may wait; 1,000 by default. The newest state is in any case. */
    readonly maxRemembered?: number;
    /** Whether `connect` resolves where the broker cannot be reached, and goes on trying; false by default. */
    readonly mayStartOffline?: boolean;
    /** Milliseconds that disposal waits for a handler and for acknowledgements; 5,000 by default. */
    readonly closeTimeoutMs?: number;
    /** Milliseconds since 1970, by which requests expire; `Date.now` by default. */
    readonly now?: () => number;
  };

export interface DevicePublishOptions {
  /** 1 by default. At QoS 0 a message without a connection is dropped. */
  readonly qos?: 0 | 1;
}
