import type { Scheme } from "../../scheme/scheme.ts";
import type { Commands, Feeds } from "../commands/commands.ts";
import type { Seed } from "../store/idempotency-keys.ts";
import type { Answer } from "./answer.ts";
import type { PushRequest } from "./push-request.ts";

/** What every operation works with. */
export interface FeedParts {
  readonly feeds: Feeds;
  readonly scheme: Pick<Scheme, "name" | "stage" | "routes" | "commands" | "feeds">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What operations work with where the scheme has commands. */
export interface CommandParts extends FeedParts {
  readonly commands: Commands;
}

/** A request whose path and method an operation has. */
export interface OperationRequest extends PushRequest {
  /** The path's; absent where it has none. */
  readonly deviceId: string;
  /** The path's, as it stands there; absent where it has none. */
  readonly commandId: string;
}

/** A request that was read and found right: what is left is to do it. */
export interface Action {
  /** Milliseconds in which it is done, or whoever does it is dead; for those that change something. */
  readonly limitMs?: number;
  /** @throws {PushError} and the errors of the ledger and the brokers. */
  run(seed: Seed): Promise<Answer>;
}

/**
 * One operation of the endpoint: reads a request and says what is to be done, which it does not do yet.
 *
 * @throws {PushError}
 */
export type Operation<Parts = CommandParts> = (request: OperationRequest, parts: Parts) => Action;

/** Milliseconds of one command: it is told after 8 seconds what the brokers did, and the ledger is written before and after. */
export const commandLimitMs = 10_000;
