import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { EngineError } from "../engine-error.ts";
import { readBody } from "./http-body.ts";
import { gatewayMessage, type HttpAnswer, onTheWire, problem } from "./http-problem.ts";

export interface ListenerOptions {
  /** 0 for any that is free. */
  readonly port: number;
  /** Milliseconds in which a request has to be there as a whole; 20,000 by default. */
  readonly requestTimeoutMs?: number | undefined;
}

/** A request as it came. */
export interface HttpRequest {
  readonly method: string;
  /** The request target, nothing of it decoded or resolved. */
  readonly target: string;
  readonly httpVersion: string;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly sourceIp: string;
}

/** What answers requests. */
export interface HttpHandler {
  /** Before the body is read: an answer where the request is refused whatever it says, undefined where it is not. */
  refuse(request: HttpRequest): HttpAnswer | undefined;
  answer(request: HttpRequest, body: Buffer): Promise<HttpAnswer>;
}

/** API Gateway's, of the request line and the header fields together. */
const maxHeaderBytes = 10_240;

/** Clients keep their connections: as the services' endpoint does. */
const keepAliveMs = 75_000;

/** What parts of a connection that Node cannot read as a request are answered with. */
const refusals: Readonly<Record<string, HttpAnswer>> = {
  ERR_HTTP_REQUEST_TIMEOUT: problem(408, "REQUEST_TIMEOUT", "the request did not end in time"),
  HPE_HEADER_OVERFLOW: problem(431, "BAD_REQUEST", `request line and header are over ${maxHeaderBytes} bytes`),
};
const badRequest = problem(400, "BAD_REQUEST", "this is no valid request of HTTP/1.1");

/** An HTTP server on loopback that takes what it is sent for hostile. */
export class HttpListener implements AsyncDisposable {
  /** Those that were refused before they were read to their end, too. */
  readonly counts = { requests: 0 };
  readonly #server: Server;
  readonly #handler: HttpHandler;
  /** The latest of each connection. */
  readonly #responses = new WeakMap<Socket, ServerResponse>();

  private constructor(handler: HttpHandler, requestTimeoutMs: number) {
    this.#handler = handler;
    this.#server = createServer(
      {
        // Content-Length beside Transfer-Encoding, and whatever else two readers might read in two ways, is an error.
        insecureHTTPParser: false,
        maxHeaderSize: maxHeaderBytes,
        headersTimeout: requestTimeoutMs,
        requestTimeout: requestTimeoutMs,
        connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs / 4),
        keepAliveTimeout: keepAliveMs,
        // Node's own answer has no body.
        requireHostHeader: false,
      },
      (request, response) => {
        this.#take(request, response).catch(() => send(response, gatewayMessage(500, "Internal Server Error")));
      },
    );
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => this.#refuse(error, socket as Socket));
  }

  /** @throws {EngineError} `ERR_PORT` */
  static async start(
    handler: HttpHandler,
    { port, requestTimeoutMs = 20_000 }: ListenerOptions,
  ): Promise<HttpListener> {
    const listener = new HttpListener(handler, requestTimeoutMs);
    const server = listener.#server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => {
        reject(new EngineError("ERR_PORT", `port ${port} for the HTTP API: ${error.message}`, { cause: error }));
      });
      server.listen(port, "127.0.0.1", resolve);
    });
    return listener;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Takes no connection any more; those that are there end with the answer that they wait for. */
  stop(): void {
    this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.counts.requests += 1;
    this.#responses.set(request.socket, response);
    const asked = requestOf(request);
    const refusal = checkRequest(asked) ?? this.#handler.refuse(asked);
    const body = await readBody(request, { isKept: refusal === undefined });
    // Answered as a whole connection, or nobody is there any more.
    if (body.kind === "gone") return;
    if (body.kind === "too-large") {
      send(response, problem(413, "PAYLOAD_TOO_LARGE", `a body is at most ${body.maxBytes} bytes`));
      return;
    }
    send(response, refusal ?? (await this.#handler.answer(asked, body.bytes)));
  }

  /** What is no request any more: the connection ends, since nobody knows where a next one would begin. */
  #refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    const response = this.#responses.get(socket);
    const isInside = response !== undefined && !response.req.complete;
    const isAwaited = response !== undefined && !isInside && !response.writableFinished;
    // On a connection that waits for an answer, or has one, another would be taken for it.
    if (!socket.writable || error.code === "ECONNRESET" || isAwaited || (isInside && response.headersSent)) {
      socket.destroy();
      return;
    }
    if (!isInside) this.counts.requests += 1;
    socket.end(onTheWire(refusals[error.code ?? ""] ?? badRequest), () => socket.destroy());
  }
}

function requestOf({ method = "", url = "", httpVersion, rawHeaders, socket }: IncomingMessage): HttpRequest {
  return { method, target: url, httpVersion, rawHeaders, sourceIp: socket.remoteAddress ?? "" };
}

/** What RFC 9112 §3.2 wants refused: a request that does not say, or says twice, whom it is for; and no origin form. */
function checkRequest({ target, httpVersion, rawHeaders }: HttpRequest): HttpAnswer | undefined {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host").length;
  if (hosts > 1 || (hosts === 0 && httpVersion !== "1.0")) {
    return problem(400, "BAD_REQUEST", `a request has one field Host, this one has ${hosts}`);
  }
  return target.startsWith("/") ? undefined : problem(400, "BAD_REQUEST", "the request target is no path");
}

function send(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  if (response.destroyed || response.headersSent) return;
  // RFC 9110 §8.6: without a body there is no length.
  const length = status === 204 || status === 304 ? {} : { "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { ...(headers as Record<string, string | string[]>), ...length }).end(body);
}
