import { createHash } from "node:crypto";
import type { PushOperationId } from "../../scheme/command/push-operations.ts";
import type { Claimed, IdempotencyKeys, KeyedRequest } from "../store/idempotency-keys.ts";
import type { Answer } from "./answer.ts";
import type { Action } from "./operation.ts";
import { PushError } from "./push-error.ts";
import type { PushRequest } from "./push-request.ts";
import { newSeed } from "./seed.ts";

export interface RunOnceOptions {
  readonly keys: IdempotencyKeys;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told why an answer is not kept. */
  readonly onForgotten: (error: unknown) => void;
}

const keyPattern = /^[!-~]{1,255}$/;

/**
 * The key of a request, undefined where it has none.
 *
 * @throws {PushError} `IDEMPOTENCY_KEY_INVALID`
 */
function readKey({ headers }: Pick<PushRequest, "headers">): string | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined || keyPattern.test(key)) return key;
  const detail = `Idempotency-Key has ${key.length} characters; it has to have 1 to 255 of visible ASCII`;
  throw new PushError("IDEMPOTENCY_KEY_INVALID", detail);
}

/**
 * Does a request once for its key, and gives the answer to every retry. Without a key it does the request.
 *
 * Where whoever did it died, or came to an answer that is not for good, a retry goes on with the same seed: what it
 * makes has the ids of what was made already, and so is not made twice.
 *
 * @throws {PushError} `IDEMPOTENCY_KEY_IN_USE`, `IDEMPOTENCY_KEY_REUSED`, and what the action throws.
 */
export async function runOnce(
  action: Action,
  request: PushRequest,
  operation: PushOperationId,
  { keys, now, onForgotten }: RunOnceOptions,
): Promise<Answer> {
  const key = action.limitMs === undefined ? undefined : readKey(request);
  const seed = newSeed(now());
  if (key === undefined) return await action.run(seed);
  const lockedUntil = request.receivedAt + (action.limitMs ?? 0);
  const claim = await keys.claim({ ...hashesOf(request, operation, key), seed, lockedUntil });
  switch (claim.kind) {
    case "claimed":
      return await runClaimed(action, claim, keys, onForgotten);
    case "done":
      return claim.answer;
    case "running":
      throw refuseRunning(claim.lockedUntil - now());
    case "reused":
      throw new PushError(
        "IDEMPOTENCY_KEY_REUSED",
        "the request that came with this key first had another body or query",
      );
    default:
      return claim satisfies never;
  }
}

async function runClaimed(
  action: Action,
  claimed: Claimed,
  keys: IdempotencyKeys,
  onForgotten: RunOnceOptions["onForgotten"],
): Promise<Answer> {
  const release = () => keys.release(claimed).catch(onForgotten);
  try {
    const answer = await action.run(claimed.seed);
    const { status, headers, body, isProvisional = false } = answer;
    // What was done is done: a key that cannot be written is one that a retry takes over.
    await (isProvisional ? release() : keys.finish(claimed, { status, headers, body }).catch(onForgotten));
    return answer;
  } catch (error) {
    await release();
    throw error;
  }
}

function refuseRunning(remainingMs: number): PushError {
  const seconds = Math.max(1, Math.ceil(remainingMs / 1000));
  const detail = `the first request with this key is still running, for ${seconds} s at the most`;
  return new PushError("IDEMPOTENCY_KEY_IN_USE", detail, { headers: { "retry-after": String(seconds) } });
}

/** A key is its caller's, and for one operation on one path. */
function hashesOf(
  { caller, path, body, query }: PushRequest,
  operation: PushOperationId,
  key: string,
): Pick<KeyedRequest, "hash" | "fingerprint"> {
  const digest = (...parts: readonly (string | Uint8Array)[]) => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return hash.digest("hex");
  };
  return {
    hash: digest(JSON.stringify([caller, operation, path, key])),
    fingerprint: digest(JSON.stringify(query), body),
  };
}
