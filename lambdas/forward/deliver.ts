import type { IngestMessage } from "../../scheme/ingest.ts";
import { MessageError } from "../../scheme/message-error.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import type { ApiFields } from "./api-headers.ts";
import { ForwardError, failureCodeOfStatus } from "./failure.ts";
import type { Answer, ApiConnection } from "./send.ts";
import { sign } from "./sign.ts";
import { type Delivery, toRequest } from "./to-request.ts";

/** What became of a message. */
export type Outcome =
  | { readonly kind: "delivered"; readonly strippedHeaders: number }
  /** The API was asked, and did not say that it is done. */
  | { readonly kind: "failed"; readonly error: ForwardError }
  /** The fault is in the message: the API was not asked. */
  | { readonly kind: "refused"; readonly error: MessageError };

/** Makes a request of a message, and says what became of it. Never rejects: one message's fault is not another's. */
export type Deliver = (read: () => IngestMessage, delivery: Delivery) => Promise<Outcome>;

export interface DeliverOptions {
  readonly routes: Scheme["routes"];
  readonly apiUrl: URL;
  readonly apiHeaders: () => Promise<ApiFields>;
  readonly connection: Pick<ApiConnection, "send">;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export function createDeliver(options: DeliverOptions): Deliver {
  const { routes, apiUrl, apiHeaders, connection, now = Date.now } = options;
  const basePath = apiUrl.pathname.replace(/\/+$/, "");
  return async (read, delivery) => {
    try {
      const message = read();
      const apiFields = await apiHeaders();
      const opened = toRequest(message, delivery, routes, basePath, apiFields);
      const { request, idempotencyKey, strippedHeaders } = opened;
      const error = toError(await connection.send(sign(request, apiFields.signingKeys, idempotencyKey, now())));
      return error === undefined ? { kind: "delivered", strippedHeaders } : { kind: "failed", error };
    } catch (error) {
      if (error instanceof MessageError) return { kind: "refused", error };
      return { kind: "failed", error: new ForwardError("INTERNAL", `no request was made: ${error}`, { cause: error }) };
    }
  };
}

/** Only 2xx is done. */
function toError(answer: Answer): ForwardError | undefined {
  if (answer.kind === "failure") {
    return new ForwardError(answer.code, `no answer of the API: ${answer.cause.message}`, { cause: answer.cause });
  }
  const code = failureCodeOfStatus(answer.status);
  return code && new ForwardError(code, `the API answered ${answer.status}`);
}
