import type { HttpApiPlan, HttpAuthorizationPlan } from "../template/plan.ts";
import { httpApiDomain } from "../template/resource-types.ts";
import type { HttpRequest } from "./http-listener.ts";
import type { SelectedRoute } from "./http-routes.ts";

/** What an event says beside the request itself. */
export interface EventContext {
  readonly api: Pick<HttpApiPlan, "id" | "stage">;
  readonly accountId: string;
  readonly selected: SelectedRoute;
  /** Of the path, decoded. */
  readonly segments: readonly string[];
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Where the API is served, `127.0.0.1:18832`. */
  readonly address: string;
}

/**
 * The event of a request in payload format 2.0.
 *
 * `rawPath` is decoded, as API Gateway's is in spite of its name. The field `host` is the listener's own address, whatever
 * the request says.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function httpEvent(request: HttpRequest, body: Buffer, context: EventContext): object {
  const { api, accountId, selected, segments, requestId, now, address } = context;
  const { route, pathParameters } = selected;
  const path = `/${segments.join("/")}`;
  const { query } = splitTarget(request.target);
  const fields = fieldsOf(request.rawHeaders);
  const cookies = fields.get("cookie")?.flatMap((line) => line.split(/; */).filter(Boolean)) ?? [];
  const headers: Record<string, string> = {
    ...joined(fields, ["cookie"]),
    host: address,
    "x-forwarded-for": [...(fields.get("x-forwarded-for") ?? []), request.sourceIp].join(", "),
    "x-forwarded-port": address.replace(/^.*:/, ""),
    "x-forwarded-proto": "http",
  };
  const parameters = joined(queryFields(query));
  return {
    version: "2.0",
    routeKey: route.key,
    rawPath: path,
    rawQueryString: query,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers,
    ...(query === "" ? {} : { queryStringParameters: parameters }),
    ...(Object.keys(pathParameters).length === 0 ? {} : { pathParameters }),
    requestContext: {
      accountId,
      apiId: api.id,
      authorizer: identityOf(route.authorization, accountId, now),
      domainName: httpApiDomain(api.id),
      domainPrefix: api.id,
      http: {
        method: request.method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.sourceIp,
        userAgent: headers["user-agent"] ?? "",
      },
      requestId,
      routeKey: route.key,
      stage: api.stage,
      time: commonLogTime(now),
      timeEpoch: now,
    },
    ...bodyOf(body, headers["content-type"]),
  };
}

/** The path as it was sent, and what follows its first question mark. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const end = target.indexOf("?");
  return end < 0 ? { path: target, query: "" } : { path: target.slice(0, end), query: target.slice(end + 1) };
}

/** The values of each header field, by lower-case name. */
export function fieldsOf(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), rawHeaders[index + 1] ?? ""]);
  }
  return fields;
}

function queryFields(query: string): ReadonlyMap<string, readonly string[]> {
  const parameters = new URLSearchParams(query);
  return new Map([...parameters.keys()].map((name) => [name, parameters.getAll(name)]));
}

/** With commas between values; what is named `__proto__` is a name like any other. */
function joined(fields: ReadonlyMap<string, readonly string[]>, without: readonly string[] = []) {
  const entries = [...fields].filter(([name]) => !without.includes(name));
  return Object.fromEntries(entries.map(([name, values]) => [name, values.join(",")]));
}

/** Media types whose bodies API Gateway hands over as text, found by trial; the documentation names none. */
const textTypes = /^(text\/[^;]+|application\/(json|xml|javascript)) *(; *charset="?utf-8"?)?$/i;

function bodyOf(body: Buffer, contentType = "") {
  if (body.length === 0) return { isBase64Encoded: false };
  const text = body.toString();
  // Bytes that are no UTF-8 would be other bytes as text.
  const isText = textTypes.test(contentType.trim()) && Buffer.from(text).equals(body);
  return { body: isText ? text : body.toString("base64"), isBase64Encoded: !isText };
}

/** Who bears the local token, as API Gateway would say it of a user, or of a client of the issuer. */
function identityOf(authorization: HttpAuthorizationPlan, accountId: string, now: number): object {
  if (authorization.kind === "iam") {
    return {
      iam: {
        accessKey: "AKIALOCAL00000000000",
        accountId,
        callerId: "AIDALOCAL00000000000",
        cognitoIdentity: null,
        principalOrgId: null,
        userArn: `arn:aws:iam::${accountId}:user/local`,
        userId: "AIDALOCAL00000000000",
      },
    };
  }
  const { issuer, audiences, scopes } = authorization;
  const seconds = Math.floor(now / 1000);
  const claims = {
    iss: issuer,
    aud: audiences[0] ?? "",
    sub: "local",
    client_id: "local",
    scope: scopes.join(" "),
    iat: String(seconds),
    exp: String(seconds + 3600),
  };
  return { jwt: { claims, scopes: scopes.length === 0 ? null : scopes } };
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `12/Mar/2020:19:03:58 +0000` */
function commonLogTime(now: number): string {
  const [date = "", time = ""] = new Date(now).toISOString().split("T");
  const [year, month, day] = date.split("-");
  return `${day}/${months[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}
