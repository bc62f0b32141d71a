import { hash } from "node:crypto";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Context } from "aws-lambda";
import { MessageError } from "../../scheme/message-error.ts";
import type { Lease, Outcome } from "./deliver.ts";
import { ForwardError } from "./failure.ts";

export interface LeaseOptions {
  readonly client: DynamoDBClient;
  /** The deliveries table. */
  readonly table: string;
  /** Longest that a request may take: `api.timeoutMs`. */
  readonly timeoutMs: number;
}

/** What Powertools hashes: the lease's key, and what has to be the same where the key is. */
interface Leased {
  readonly key: string;
  readonly content: string;
}

/** Sends a message unless the API has it, or somebody else is sending it. */
type SendOnce = (leased: Leased, send: () => Promise<void>) => Promise<void>;

/** Key of an item in the table: this, `#` and a hash. */
const keyPrefix = "lease";

/** To write down that the API has the message, after its answer. */
const settleMs = 10_000;

const secondsOfHour = 3_600;

/**
 * Remembers in the deliveries table which messages the API has, by Powertools Idempotency: a message with the same
 * idempotency key on the same route is not sent again for the route's hours.
 *
 * At least once all the same: a failed delivery gives the lease back, although the API may have seen the request; so
 * does the end of the process, after `timeoutMs` and ten seconds; and where the table does not take the note that a
 * message was delivered, it is delivered. Where the table cannot be asked before the request, none is made, and the
 * message tried again later.
 */
export function createLease({ client, table, timeoutMs }: LeaseOptions): Lease {
  const byHours = new Map<number, Promise<SendOnce>>();
  const sendOnceFor = (hours: number): Promise<SendOnce> => {
    const known = byHours.get(hours) ?? loadSendOnce({ client, table, timeoutMs }, hours);
    byHours.set(hours, known);
    return known;
  };
  return async ({ route, message }, { request, idempotencyKey }, send) => {
    if (route.lease === undefined) return await send();
    let outcome: Outcome | undefined;
    try {
      const sendOnce = await sendOnceFor(route.lease.hours);
      const key = `${route.name}/${idempotencyKey}`;
      const content = `${message.topic} ${hash("sha256", request.body)}`;
      await sendOnce({ key, content }, async () => {
        outcome = await send();
        // What is thrown gives the lease back.
        if (outcome.kind !== "delivered") throw new Error(`the outcome is ${outcome.kind}`);
      });
      return outcome ?? { kind: "delivered", strippedHeaders: 0, isDuplicate: true };
    } catch (error) {
      // Once the API was asked, only its answer counts.
      return outcome ?? outcomeOf(error);
    }
  };
}

/** Powertools is loaded for the first message, and is not even in the bundle of a scheme without leases. */
async function loadSendOnce({ client, table, timeoutMs }: LeaseOptions, hours: number): Promise<SendOnce> {
  const [{ IdempotencyConfig, makeIdempotent }, { DynamoDBPersistenceLayer }] = await Promise.all([
    import("@aws-lambda-powertools/idempotency"),
    import("@aws-lambda-powertools/idempotency/dynamodb"),
  ]);
  const config = new IdempotencyConfig({
    eventKeyJmesPath: "key" satisfies keyof Leased,
    payloadValidationJmesPath: "content" satisfies keyof Leased,
    throwOnNoIdempotencyKey: true,
    expiresAfterSeconds: hours * secondsOfHour,
    hashFunction: "sha256",
    // Only this is asked of it: when the lease of one who does not come back ends.
    lambdaContext: { getRemainingTimeInMillis: () => timeoutMs + settleMs } as Context,
  });
  const persistenceStore = new DynamoDBPersistenceLayer({
    tableName: table,
    keyAttr: "id",
    // The attribute by which the table removes its items; in seconds, as Powertools has it.
    expiryAttr: "expiresAt",
    awsSdkV3Client: client,
  });
  return makeIdempotent((_leased: Leased, send: () => Promise<void>) => send(), {
    ...{ config, persistenceStore, keyPrefix },
  });
}

/** What becomes of a message that was not sent. By names: `instanceof` would need Powertools. */
function outcomeOf(error: unknown): Outcome {
  switch (error instanceof Error ? error.name : "") {
    case "IdempotencyValidationError": {
      const message = "a message with this id came before, with another body or topic";
      return { kind: "refused", error: new MessageError("MESSAGE_ID_REUSED", message) };
    }
    case "IdempotencyAlreadyInProgressError":
    case "IdempotencyItemNotFoundError": // it was, until just now
    case "IdempotencyInconsistentStateError": // likewise
      return { kind: "busy" };
    default: {
      const message = `the lease cannot be had: ${error instanceof Error ? (error.cause ?? error) : error}`;
      return { kind: "failed", error: new ForwardError("INTERNAL", message, { cause: error }) };
    }
  }
}
