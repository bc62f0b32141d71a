import { gatewayMessage, type HttpAnswer } from "./http-problem.ts";

/** What API Gateway answers for a function that failed, and for an answer that it cannot read. */
export const functionFailed = gatewayMessage(500, "Internal Server Error");

/**
 * What a function's answer means in format 2.0: an object with a `statusCode` is a response, and anything else is a
 * response's body.
 *
 * @param json The function's answer.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function answerOf(json: string): HttpAnswer {
  const value: unknown = JSON.parse(json);
  if (typeof value === "object" && value !== null && "statusCode" in value) return readResponse(value);
  // A string is the text itself, and still called JSON: as API Gateway does.
  const body = typeof value === "string" ? value : json;
  return { status: 200, headers: { "content-type": "application/json" }, body };
}

interface FunctionResponse {
  readonly statusCode?: unknown;
  readonly headers?: unknown;
  readonly cookies?: unknown;
  readonly body?: unknown;
  readonly isBase64Encoded?: unknown;
}

function readResponse({ statusCode, headers, cookies, body, isBase64Encoded }: FunctionResponse): HttpAnswer {
  const status = Number(statusCode);
  const fields = readFields(headers ?? {});
  const lines = cookies ?? [];
  const text = body ?? "";
  const isStatus = Number.isInteger(status) && status >= 200 && status <= 599;
  if (!isStatus || fields === undefined || !isTexts(lines) || typeof text !== "string") return functionFailed;
  return {
    status,
    headers: { "content-type": defaultType, ...fields, ...(lines.length === 0 ? {} : { "set-cookie": lines }) },
    body: isBase64Encoded === true ? Buffer.from(text, "base64") : text,
  };
}

const defaultType = "text/plain; charset=utf-8";

/** Fields of the connection, which is API Gateway's matter and not the function's. */
const ownFields: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** By lower-case name; undefined where they cannot be sent. */
function readFields(value: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const entries = Object.entries(value).map(([name, text]): [string, string] => [name.toLowerCase(), String(text)]);
  const isSendable = entries.every(([name, text]) => fieldName.test(name) && fieldValue.test(text));
  return isSendable ? Object.fromEntries(entries.filter(([name]) => !ownFields.has(name))) : undefined;
}

/** RFC 9110 §5.6.2 and §5.5, the latter as Node sends it: in Latin-1. */
const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && fieldValue.test(item));
}
