import type { Doubt } from "../doubt.ts";
import type { Behaviour } from "./behaviour.ts";

/** How the API's process is started: JSON in its one argument. */
export interface ApiOptions {
  readonly port: number;
  readonly configFile: string;
  readonly devices: number;
  /** Of the run, at most: their numbers are smaller. */
  readonly messages: number;
  readonly seed: number;
}

/** A request whose message the API has taken. */
export interface Receipt {
  /** Counts what this process took. */
  readonly request: number;
  readonly messageNumber: number;
}

export interface Taken extends Receipt {
  readonly idempotencyKey: string;
  /** Why the sender will not learn of it, where that is certain already; else `Ended` says how it went. */
  readonly doubt: Doubt | undefined;
}

export interface Ended extends Receipt {
  /** Undefined where the operating system has the whole answer. A doubt may follow that. */
  readonly doubt: Doubt | undefined;
}

/** From the API's process to its parent. */
export type ApiMessage =
  | { readonly kind: "listening" | "behaving" }
  | {
      readonly kind: "news";
      readonly taken: readonly Taken[];
      readonly ended: readonly Ended[];
      /** Requests that no message of the run should have become, each in a line. */
      readonly unexpected: readonly string[];
      /** Requests that were failed and not taken. */
      readonly refused: number;
    };

/** From the parent to the API's process. */
export interface ApiCommand {
  readonly kind: "behave";
  readonly behaviour: Behaviour;
}
