import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";

/** What DynamoDB refuses, in its words. */
export class DynamoDbError extends Error {
  override readonly name = "DynamoDbError";
  /** DynamoDB's name of the error, e.g. `ResourceNotFoundException`. */
  readonly type: string;

  constructor(type: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

/** An operation with its input, in DynamoDB's own JSON. @throws {DynamoDbError} */
export type CallDynamoDb = (operation: string, input: object) => Promise<Readonly<Record<string, unknown>>>;

export interface DynamoDbServerOptions {
  readonly folder: string;
  /** The path that clients have to know, with a slash at its begin. */
  readonly prefix: string;
  /** 0 for any that is free. */
  readonly port: number;
}

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

interface Request {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** DynamoDB's limit for a request. */
const maxRequestBytes = 16 * 1024 * 1024;

/** As the SDK's connections: they are used every few seconds or not at all. */
const keepAliveMs = 75_000;

/** What has not been asked to its end in this time, when the server ends, is not answered. */
const endMs = 2_000;

/** dynalite on disk and on loopback, for those who know its path. */
export class DynamoDbServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #handle: (request: unknown, response: unknown) => void;
  readonly #prefix: string;
  readonly #waiting = new Set<(answer: Answer) => void>();

  private constructor({ folder, prefix }: DynamoDbServerOptions) {
    this.#server = dynalite({ path: folder, createTableMs: 0 });
    // It answers everybody, and throws where a client goes away in the middle of a request: it is asked by us alone.
    const [handle] = this.#server.listeners("request");
    if (handle === undefined) throw new Error("dynalite has no request handler");
    this.#handle = handle as (request: unknown, response: unknown) => void;
    this.#server.removeAllListeners("request");
    this.#server.on("request", (request, response) => void this.#serve(request, response));
    this.#server.keepAliveTimeout = keepAliveMs;
    this.#prefix = prefix;
  }

  static async start(options: DynamoDbServerOptions): Promise<DynamoDbServer> {
    const server = new DynamoDbServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(options.port, "127.0.0.1", resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Asks for ourselves. */
  readonly call: CallDynamoDb = async (operation, input) => {
    const headers = { ...localHeaders, "x-amz-target": `DynamoDB_20120810.${operation}` };
    const answer = await this.#ask({ method: "POST", headers, body: Buffer.from(JSON.stringify(input)) });
    const output = JSON.parse(answer.body) as Record<string, unknown>;
    if (answer.status === 200) return output;
    const type = String(output.__type).replace(/^.*#/, "");
    throw new DynamoDbError(type, `${operation}: ${output.message ?? output.Message ?? type}`);
  };

  /** Answers everything that waits with a failure: whether it was done is not known, as with any 500 of DynamoDB. */
  fail(error: unknown): void {
    for (const settle of this.#waiting) settle(failure(500, "InternalServerError", String(error)));
  }

  /** Ends when what was asked is answered and the database is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const limit = setTimeout(() => this.#server.closeAllConnections(), endMs);
    await new Promise<void>((resolve, reject) => {
      this.#server.close((error) => (error ? reject(error) : resolve()));
      this.#server.closeIdleConnections();
    });
    clearTimeout(limit);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { status, headers, body } = await this.#answer(request);
      // When the server ends it waits for its connections.
      const connection = this.#server.listening ? {} : { connection: "close" };
      response.writeHead(status, { ...headers, ...connection }).end(body);
    } catch {
      response.destroy(); // the client has gone away
    }
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { url = "", method, headers } = request;
    if (url !== this.#prefix && url !== `${this.#prefix}/`) {
      return failure(403, "AccessDeniedException", "not from here");
    }
    const body = await read(request);
    if (body === undefined) return failure(413, "RequestEntityTooLarge", `more than ${maxRequestBytes} bytes`);
    return await this.#ask({ method, headers, body });
  }

  #ask({ method, headers, body }: Request): Promise<Answer> {
    return new Promise((resolve) => {
      const settle = (answer: Answer) => {
        this.#waiting.delete(settle);
        resolve(answer);
      };
      this.#waiting.add(settle);
      const request = Object.assign(new EventEmitter(), { method, headers, url: "/" });
      try {
        this.#handle(request, new ResponseOf(settle));
        request.emit("data", body);
        request.emit("end");
      } catch (error) {
        settle(failure(500, "InternalServerError", String(error)));
      }
    });
  }
}

/** What dynalite uses of a response. */
class ResponseOf {
  statusCode = 200;
  readonly #headers: OutgoingHttpHeaders = {};
  readonly #settle: (answer: Answer) => void;

  constructor(settle: (answer: Answer) => void) {
    this.#settle = settle;
  }

  setHeader(name: string, value: string | number): void {
    this.#headers[name] = value;
  }

  end(body = ""): void {
    this.#settle({ status: this.statusCode, headers: this.#headers, body });
  }
}

/** It wants to see a signature, and does not check it: the path is the secret. */
const localHeaders = {
  "content-type": "application/x-amz-json-1.0",
  "x-amz-date": "20260101T000000Z",
  authorization: "AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=local",
};

function failure(status: number, type: string, message: string): Answer {
  const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message });
  return { status, headers: { "content-type": "application/x-amz-json-1.0" }, body };
}

/** The body, or undefined where it is too long. @throws where it ends too early. */
async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // What is destroyed could not be answered.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxRequestBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
