import { ClientError, type ClientErrorCode } from "../../client/client-error.ts";
import { PublishError, type PublishErrorCode } from "./publish-error.ts";

const codes: Readonly<Record<ClientErrorCode, PublishErrorCode>> = {
  CLIENT_INVALID: "BROKER_REFUSED",
  CLIENT_UNREACHABLE: "BROKER_UNREACHABLE",
  CLIENT_REFUSED: "BROKER_REFUSED",
  CLIENT_TIMEOUT: "BROKER_TIMEOUT",
  CLIENT_DISCONNECTED: "BROKER_UNREACHABLE",
  CLIENT_OVERFLOW: "BROKER_UNREACHABLE",
  CLIENT_CLOSED: "BROKER_UNREACHABLE",
};

/** What went wrong at a broker, in the port's words. */
export function publishErrorOf(broker: string, error: unknown): PublishError {
  if (error instanceof PublishError) return error;
  if (!(error instanceof ClientError)) {
    return new PublishError("BROKER_UNREACHABLE", broker, String(error), { cause: error });
  }
  // A quota, a rate, a broker that is busy.
  const isForNow = error.code === "CLIENT_REFUSED" && error.isRetryable;
  return new PublishError(isForNow ? "BROKER_THROTTLED" : codes[error.code], broker, error.message, { cause: error });
}

/** Of a connection that was not opened: the time in which no broker answered was its own, and not the caller's. */
export function openingErrorOf(broker: string, error: unknown): PublishError {
  if (!(error instanceof ClientError) || error.code !== "CLIENT_TIMEOUT") return publishErrorOf(broker, error);
  return new PublishError("BROKER_UNREACHABLE", broker, error.message, { cause: error });
}

/** Whether the connection is no good any more, as far as one can know. */
export function isLoss(error: unknown): boolean {
  return error instanceof ClientError && (error.code === "CLIENT_TIMEOUT" || error.code === "CLIENT_DISCONNECTED");
}

/** "Bad user name or password" and "not authorized" of MQTT 3.1.1 and of MQTT 5. */
const credentialReasons: ReadonlySet<number | undefined> = new Set([0x04, 0x05, 0x86, 0x87]);

/** What Node says of a certificate whose authority is another one. */
const authorityProblems: ReadonlySet<unknown> = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
]);

/** Whether another user name, password or authority may be what a connection failed for want of. */
export function isForWantOfSecrets(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  if (error.code === "CLIENT_REFUSED") return credentialReasons.has(error.reasonCode);
  return authorityProblems.has((error.cause as { readonly code?: unknown } | undefined)?.code);
}
