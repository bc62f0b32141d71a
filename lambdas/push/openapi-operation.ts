import type * as z from "zod";
import { type PushOperationId, pushOperations } from "../../scheme/command/push-operations.ts";
import { describeParameter, type Part, referTo } from "./openapi-schemas.ts";
import { type AnswerDoc, type OperationDoc, operationDocs, problemsOf } from "./operation-docs.ts";
import { type ProblemCode, problems } from "./problems.ts";
import { commandId } from "./request-schemas.ts";
import { problem } from "./response-schemas.ts";

/** An operation as the document has it. */
export function describeOperation(operationId: PushOperationId): Part {
  const doc = operationDocs[operationId];
  const { summary, description, body } = doc;
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: describeParameters(pushOperations[operationId].path, doc),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: referTo(body) } } } }),
    responses: { ...describeAnswers(doc), ...describeProblems(doc), ...gatewayAnswers(problemsOf(doc)) },
  };
}

const pathParameters: Readonly<Record<string, Part>> = {
  deviceId: { type: "string", pattern: "^[A-Za-z0-9:_-]{1,128}$" },
  commandId: describeParameter(commandId),
};

const keyParameter: Part = {
  ...{ name: "Idempotency-Key", in: "header", required: false },
  description: "With the same key, the same request is done once in 24 hours, and answered the same every time",
  schema: { type: "string", pattern: "^[!-~]{1,255}$" },
};

function describeParameters(path: string, { query, isKeyed }: OperationDoc): readonly Part[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    ...{ name, in: "path", required: true },
    schema: pathParameters[name],
  }));
  const inQuery = Object.entries(query.shape).map(([name, schema]) => {
    const { description, ...described } = describeParameter(schema as z.ZodType);
    return { name, in: "query", required: false, description, schema: described };
  });
  return [...inPath, ...inQuery, ...(isKeyed ? [keyParameter] : [])];
}

function describeAnswers({ answers }: OperationDoc): Part {
  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, describeAnswer(answer)]));
}

function describeAnswer({ description, schema, hasLocation }: AnswerDoc): Part {
  return {
    description,
    ...(hasLocation ? { headers: { Location: { description: "The command", schema: { type: "string" } } } } : {}),
    content: { "application/json": { schema: schema === undefined ? { type: "object" } : referTo(schema) } },
  };
}

/** Problems of one status are one response. */
function describeProblems(doc: OperationDoc): Part {
  const byStatus = Map.groupBy(problemsOf(doc), (code) => problems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `${code}: ${problems[code].title}`).join("; "),
        ...describeHeaders(codes),
        content: {
          "application/problem+json": { schema: { ...referTo(problem), properties: { code: { enum: codes } } } },
        },
      },
    ]),
  );
}

const retryAfter = { "Retry-After": { description: "Seconds", schema: { type: "integer" } } };

const headersOf: Readonly<Partial<Record<ProblemCode, Part>>> = {
  METHOD_NOT_ALLOWED: { Allow: { description: "Methods of the path", schema: { type: "string" } } },
  IDEMPOTENCY_KEY_IN_USE: retryAfter,
  LEDGER_UNAVAILABLE: retryAfter,
  BROKER_UNAVAILABLE: retryAfter,
  REPLY_TIMEOUT: { Location: { description: "The command", schema: { type: "string" } } },
};

function describeHeaders(codes: readonly ProblemCode[]): Part {
  const headers = Object.assign({}, ...codes.map((code) => headersOf[code]));
  return Object.keys(headers).length === 0 ? {} : { headers };
}

/** Whom the gateway does not let pass never comes to us, and neither has a problem document of ours. */
function gatewayAnswers(codes: readonly ProblemCode[]): Part {
  const isOurs = new Set<number>(codes.map((code) => problems[code].status));
  const answers = { 401: "No valid token", 403: "Not allowed", 429: "More calls than the endpoint takes in a second" };
  return Object.fromEntries(
    Object.entries(answers)
      .filter(([status]) => !isOurs.has(Number(status)))
      .map(([status, description]) => [status, { description: `${description}, says the gateway` }]),
  );
}
