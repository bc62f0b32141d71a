import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** One of AWS's services, as far as it is answered here. */
export interface Service {
  /** @throws {ServiceError} for what AWS refuses; anything else is the service's own fault. */
  answer(request: ServiceRequest): Promise<ServiceAnswer> | ServiceAnswer;
  /** An error in the shape in which the service's clients read it. */
  refuse(error: ServiceError): ServiceAnswer;
}

export interface ServiceRequest {
  readonly method: string;
  /** Below the service's own, with a slash at its start. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The same as text. */
  readonly body: string;
  /** Aborted when the caller waits no more. */
  readonly signal: AbortSignal;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What a service refuses, in AWS's words. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  /** AWS's name of the error, e.g. `ResourceNotFoundException`. */
  readonly type: string;
  /** 5xx where the same request may succeed later. */
  readonly status: number;

  constructor(type: string, message: string, status = 400, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
    this.status = status;
  }
}

/** SQS takes 1 MiB in a request; in JSON a character takes six bytes at most (`\u0001`). */
const maxRequestBytes = 7 * 1024 * 1024;

/** Functions ask now and then and keep their connections; the schedule's minute (15 s here) is below it. */
const keepAliveMs = 75_000;

/** One HTTP server on loopback for all services, each under its name. */
export class ServiceEndpoint implements AsyncDisposable {
  readonly #server: Server;
  // Who knows the path may ask: the port is open to every user of the machine.
  readonly #prefix = `/${randomUUID()}/`;
  readonly #services: ReadonlyMap<string, Service>;

  private constructor(services: Readonly<Record<string, Service>>) {
    this.#services = new Map(Object.entries(services));
    this.#server = createServer({ keepAliveTimeout: keepAliveMs }, (request, response) => {
      void this.#handle(request, response);
    });
  }

  /** @param services By the name that stands in their URL. */
  static async start(services: Readonly<Record<string, Service>>): Promise<ServiceEndpoint> {
    const endpoint = new ServiceEndpoint(services);
    await new Promise<void>((resolve, reject) => {
      endpoint.#server.once("error", reject);
      endpoint.#server.listen(0, "127.0.0.1", resolve);
    });
    return endpoint;
  }

  /** Where a service is found. */
  url(name: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${this.#prefix}${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const [name = "", ...path] = pathname.startsWith(this.#prefix)
      ? pathname.slice(this.#prefix.length).split("/")
      : [];
    const service = this.#services.get(name);
    if (service === undefined) {
      reply(response, { status: 403, body: { __type: "AccessDeniedException", message: "not from here" } });
      return;
    }
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const bytes = await read(request);
      const { method = "", headers } = request;
      const asked = { method, path: `/${path.join("/")}`, query: searchParams, headers, signal: gone.signal };
      reply(response, await service.answer({ ...asked, bytes, body: bytes.toString() }));
    } catch (error) {
      reply(response, service.refuse(asServiceError(error)));
    }
  }
}

function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  return new ServiceError("InternalServiceError", String(error), 500, { cause: error });
}

function reply(response: ServerResponse, { status, headers, body }: ServiceAnswer): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      "x-amzn-requestid": randomUUID(),
      ...headers,
    })
    .end(text);
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // What is destroyed could not be answered.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxRequestBytes) {
      throw new ServiceError("RequestEntityTooLarge", `a request of more than ${maxRequestBytes} bytes`, 413);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
