import type { APIGatewayProxyEventV2 } from "aws-lambda";

/** A call of the push endpoint. */
export interface PushRequest {
  readonly method: string;
  /** Percent-decoded, by the gateway. */
  readonly path: string;
  /** Without the question mark, as it was sent. */
  readonly query: string;
  /** By lower-case name; several of one name joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Who it is, as far as the gateway's authorizer says so. */
  readonly caller: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

/** A request as API Gateway hands it over (HTTP API, payload format 2.0). */
export function readEvent(event: APIGatewayProxyEventV2, receivedAt: number): PushRequest {
  const { rawPath, rawQueryString, headers, body = "", isBase64Encoded, requestContext } = event;
  return {
    method: requestContext.http.method,
    path: rawPath,
    query: rawQueryString,
    headers,
    body: Buffer.from(body, isBase64Encoded ? "base64" : "utf8"),
    caller: callerOf(requestContext),
    receivedAt,
  };
}

/** What AWS's types leave out of the event that they have for requests without an authorizer. */
interface Authorized {
  readonly authorizer?: {
    readonly iam?: { readonly userArn?: string };
    readonly jwt?: { readonly claims?: Readonly<Record<string, unknown>> };
  };
}

/** A role's ARN ends with its session's name. A token of a machine may have no `sub` and a `client_id` (RFC 9068). */
function callerOf(context: object): string {
  const { iam, jwt } = (context as Authorized).authorizer ?? {};
  return String(iam?.userArn ?? jwt?.claims?.sub ?? jwt?.claims?.client_id ?? "");
}
