import { MessageError } from "../../scheme/message-error.ts";
import type { ApiFields } from "./api-headers.ts";
import { ForwardError, failureCodeOfStatus } from "./failure.ts";
import type { Answer, ApiConnection, HttpRequest } from "./send.ts";
import { sign } from "./sign.ts";
import { type Delivery, type OpenedRequest, type RoutedMessage, toRequest } from "./to-request.ts";

/** What became of a message. */
export type Outcome =
  /** `isDuplicate`: the API had it already, and was not asked. */
  | { readonly kind: "delivered"; readonly strippedHeaders: number; readonly isDuplicate?: boolean }
  /** The API was asked, and did not say that it is done. */
  | FailedDelivery
  /** The fault is in the message: the API was not asked. */
  | { readonly kind: "refused"; readonly error: MessageError }
  /** Somebody else asks the API at this moment. */
  | { readonly kind: "busy" };

export interface FailedDelivery {
  readonly kind: "failed";
  readonly error: ForwardError;
  /** As it was sent, without the values of secrets; absent where none could be made. */
  readonly request?: HttpRequest;
  /** Absent where none came. */
  readonly answer?: Extract<Answer, { kind: "response" }>;
}

/** Makes a request of a message, and says what became of it. Never rejects: one message's fault is not another's. */
export type Deliver = (routed: RoutedMessage, delivery: Delivery) => Promise<Outcome>;

/** Sees to it that of messages with one key only one reaches the API. */
export type Lease = (routed: RoutedMessage, opened: OpenedRequest, send: () => Promise<Outcome>) => Promise<Outcome>;

export interface DeliverOptions {
  readonly apiUrl: URL;
  readonly apiHeaders: () => Promise<ApiFields>;
  readonly connection: Pick<ApiConnection, "send">;
  /** For the routes that want one. */
  readonly lease?: Lease;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export function createDeliver(options: DeliverOptions): Deliver {
  const { apiUrl, apiHeaders, connection, lease, now = Date.now } = options;
  const basePath = apiUrl.pathname.replace(/\/+$/, "");
  const send = async (opened: OpenedRequest, apiFields: ApiFields): Promise<Outcome> => {
    const request = sign(opened.request, apiFields.signingKeys, opened.idempotencyKey, now());
    const answer = await connection.send(request);
    const error = toError(answer);
    if (error === undefined) return { kind: "delivered", strippedHeaders: opened.strippedHeaders };
    const failed: FailedDelivery = { kind: "failed", error, request: withoutSecrets(request, apiFields.secretNames) };
    return answer.kind === "response" ? { ...failed, answer } : failed;
  };
  return async (routed, delivery) => {
    try {
      const apiFields = await apiHeaders();
      const opened = toRequest(routed, delivery, basePath, apiFields);
      if (lease === undefined || routed.route.lease === undefined) return await send(opened, apiFields);
      return await lease(routed, opened, () => send(opened, apiFields));
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

function withoutSecrets(request: HttpRequest, secretNames: ReadonlySet<string>): HttpRequest {
  if (secretNames.size === 0) return request;
  const headers = request.headers.map((text, index) =>
    index % 2 === 1 && secretNames.has(request.headers[index - 1] ?? "") ? "(secret)" : text,
  );
  return { ...request, headers };
}
