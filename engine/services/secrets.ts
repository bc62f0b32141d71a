import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Where a secret's value comes from on this machine; undefined where there is none of that name. */
export type SecretSource = (name: string) => string | undefined;

/** Secrets Manager's answer to the AWS SDK, on a loopback port. */
export interface SecretsService extends AsyncDisposable {
  /** What the SDK has to be told, as environment variables. */
  readonly environment: Readonly<Record<string, string>>;
}

const maxRequestBytes = 64 * 1024;

/**
 * Answers `GetSecretValue`, so that functions read their secrets by the same code as on AWS.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export async function startSecretsService(source: SecretSource): Promise<SecretsService> {
  // Who knows the path may ask: the port is open to every user of the machine.
  const path = `/${randomUUID()}/`;
  const server = createServer((request, response) => {
    if (request.url !== path) {
      reply(response, 403, { __type: "AccessDeniedException", message: "not from here" });
      return;
    }
    answer(request, response, source).catch((error) => {
      reply(response, 500, { __type: "InternalServiceError", message: String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${port}${path}` },
    [Symbol.asyncDispose]: () => close(server),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, source: SecretSource): Promise<void> {
  const operation = String(request.headers["x-amz-target"]).replace("secretsmanager.", "");
  if (operation !== "GetSecretValue") {
    reply(response, 400, { __type: "UnknownOperationException", message: `${operation} is not performed here` });
    return;
  }
  const name = String((JSON.parse(await read(request)) as { readonly SecretId?: unknown }).SecretId);
  const value = source(name);
  if (value === undefined) {
    const message = "Secrets Manager can't find the specified secret.";
    reply(response, 400, { __type: "ResourceNotFoundException", message });
    return;
  }
  reply(response, 200, { Name: name, SecretString: value, VersionStages: ["AWSCURRENT"] });
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > maxRequestBytes) throw new Error(`a request of more than ${maxRequestBytes} bytes`);
  }
  return text;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
