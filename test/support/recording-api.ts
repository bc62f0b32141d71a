import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request as the API saw it. */
export interface RecordedRequest {
  readonly method: string | undefined;
  /** Path and query as they stand on the request line. */
  readonly path: string | undefined;
  /** By lower-case name; all values of one that comes more than once. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An HTTP server on loopback that keeps the requests that it gets, and answers 200; `await using` ends it. */
export class RecordingApi implements AsyncDisposable {
  readonly requests: RecordedRequest[] = [];
  readonly #server: Server;
  readonly #arrivals = new EventEmitter();
  readonly #answers: number[] = [];

  private constructor() {
    this.#server = createServer(async (request, response) => {
      this.requests.push(recorded(request, await buffer(request)));
      response.writeHead(this.#answers.shift() ?? 200).end("ok");
      this.#arrivals.emit("request");
    });
    // Longer than a client keeps an idle connection, so that none is closed under a request.
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(): Promise<RecordingApi> {
    const api = new RecordingApi();
    api.#server.listen(0, "127.0.0.1");
    await once(api.#server, "listening");
    return api;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers the next request with this status. */
  answerOnce(status: number): void {
    this.#answers.push(status);
  }

  /** Waits for so many requests and takes all that are there then. */
  async take(count: number): Promise<readonly RecordedRequest[]> {
    while (this.requests.length < count) await once(this.#arrivals, "request");
    return this.requests.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function recorded({ method, url, headersDistinct }: IncomingMessage, body: Buffer): RecordedRequest {
  const headers = Object.entries(headersDistinct).map(([name, values = []]) => [name, values.join(", ")] as const);
  return { method, path: url, headers: Object.fromEntries(headers), body };
}
