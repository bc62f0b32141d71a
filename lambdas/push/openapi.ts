import { type PushOperationId, pushOperations } from "../../scheme/command/push-operations.ts";
import type { JwtAuthorization, Scheme } from "../../scheme/scheme.ts";
import { describeOperation } from "./openapi-operation.ts";
import { describeSchemas, type Part } from "./openapi-schemas.ts";
import { operationDocs } from "./operation-docs.ts";

/** The interface's document (OpenAPI 3.1), made from what requests are checked with and answers are typed by. */
export function buildOpenApi({ name, stage, commands }: Pick<Scheme, "name" | "stage" | "commands">): Part {
  const paths: Record<string, Record<string, Part>> = {};
  for (const [id, { method, path }] of Object.entries(pushOperations)) {
    const operationId = id as PushOperationId;
    if (commands === undefined && !operationDocs[operationId].isAlwaysThere) continue;
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeOperation(operationId) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: `Commands of ${name}-${stage}`,
      version: "1",
      description: "One HTTP call becomes a command on a device, and the device's answer comes back.",
    },
    // Below whatever domain serves this document.
    servers: [{ url: "/" }],
    security: [{ caller: commands?.authorization?.scopes ?? [] }],
    paths,
    components: { schemas: describeSchemas(), securitySchemes: { caller: describeSecurity(commands?.authorization) } },
  };
}

function describeSecurity(authorization: JwtAuthorization | undefined): Part {
  if (authorization === undefined) {
    return {
      ...{ type: "apiKey", in: "header", name: "Authorization" },
      description: "AWS Signature Version 4 for the service execute-api",
      // What AWS's own exports say: OpenAPI has no type for it.
      "x-amazon-apigateway-authtype": "awsSigv4",
    };
  }
  const { issuer, audiences } = authorization;
  return {
    type: "openIdConnect",
    openIdConnectUrl: `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`,
    description: `A JSON web token of ${issuer} for ${audiences.join(" or ")}`,
  };
}
