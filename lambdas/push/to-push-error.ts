import { PublishError } from "../publish/publish-error.ts";
import { StoreError } from "../store/store-error.ts";
import { PushError } from "./push-error.ts";

/** Seconds after which what is away may be back. */
const retryAfter = { "retry-after": "5" };

/** What a caller is told of an error; of one that is ours, no more than that. */
export function toPushError(error: unknown): PushError {
  if (error instanceof PushError) return error;
  if (error instanceof PublishError) {
    return new PushError("BROKER_UNAVAILABLE", error.message, { cause: error, headers: retryAfter });
  }
  if (error instanceof StoreError || isOfAws(error)) {
    const detail = `the ledger failed with ${nameOf(error)}`;
    return new PushError("LEDGER_UNAVAILABLE", detail, { cause: error, headers: retryAfter });
  }
  return new PushError("INTERNAL_ERROR", "an error that nobody expected; the log has it", { cause: error });
}

/** A lost connection is an `Error` with a code, and all others have names of their own. */
function nameOf(error: Error): string {
  return "code" in error ? String(error.code) : error.name;
}

/** The SDK notes on whatever it rejects with how often it tried, a lost connection included. */
function isOfAws(error: unknown): error is Error {
  return error instanceof Error && "$metadata" in error;
}
