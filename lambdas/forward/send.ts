import type { IncomingHttpHeaders } from "node:http";
import { type Dispatcher, Pool } from "undici";
import { type FailureCode, failureCodeOf } from "./failure.ts";

/** One request, complete but for what the connection decides (`host`, `content-length`). */
export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

export type Answer =
  | {
      readonly kind: "response";
      readonly status: number;
      /** The first bytes, at most `maxAnswerBytes`. */
      readonly body: Buffer;
      /** Whether the answer went on, broke off or was still coming at the deadline. Its status stands all the same. */
      readonly isTruncated: boolean;
      /** The field `Retry-After` as it came. */
      readonly retryAfter: string | undefined;
    }
  | { readonly kind: "failure"; readonly code: FailureCode; readonly cause: Error };

/** Bytes of an answer that are read. Of a longer one the connection is closed rather than read to its end. */
export const maxAnswerBytes = 16 * 1024;

const connectTimeoutMs = 3_000;

export interface ApiConnectionOptions {
  /** Requests under way at one time; each has a connection of its own. */
  readonly connections: number;
  /** Milliseconds for one whole exchange, connecting included. */
  readonly timeoutMs: number;
}

/**
 * Connections to the API, kept across invocations. Between these Lambda stops the process; what the API closed
 * meanwhile undici notices, since it looks at an idle connection again before it writes.
 *
 * No redirect is followed and no body decompressed. undici's `dispatch` with a handler of our own costs two thirds of
 * `pool.request` with an AbortSignal: 30 against 45–55 µs of CPU a request. Its own time limits watch for silence and
 * are off; the deadline here is for the whole exchange.
 */
export class ApiConnection {
  readonly #pool: Pool;
  readonly #timeoutMs: number;

  constructor(apiUrl: URL, { connections, timeoutMs }: ApiConnectionOptions) {
    this.#timeoutMs = timeoutMs;
    this.#pool = new Pool(apiUrl.origin, {
      connections,
      pipelining: 1,
      allowH2: false, // `connections` bounds the requests only where each has its own
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: Math.min(connectTimeoutMs, timeoutMs) },
    });
  }

  /** Makes one request. Always settles within the time limit, and never rejects. */
  send({ method, path, headers, body }: HttpRequest): Promise<Answer> {
    return new Promise((resolve) => {
      // undici's types want an array that it might change; it does not.
      const options = { method, path, headers: headers as string[], body };
      this.#pool.dispatch(options, new Exchange(resolve, this.#timeoutMs));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}

/** One request's way through undici. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #settle: (answer: Answer) => void;
  readonly #timeoutMs: number;
  readonly #deadline: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #isSettled = false;
  #status = 0;
  #retryAfter: string | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(settle: (answer: Answer) => void, timeoutMs: number) {
    this.#settle = settle;
    this.#timeoutMs = timeoutMs;
    this.#deadline = setTimeout(() => this.#stop("TIMEOUT", `no answer within ${timeoutMs} ms`), timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Waited for a connection until its deadline: reported as failed, so it must not be sent any more.
    if (this.#isSettled) controller.abort(new Error(`no connection within ${this.#timeoutMs} ms`));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return; // interim: the answer follows
    if (status > 599) {
      this.#stop("RESPONSE_INVALID", `the answer's status is ${status}`);
      return;
    }
    this.#status = status;
    this.#retryAfter = headers["retry-after"];
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    const room = maxAnswerBytes - this.#bytes;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    if (this.#bytes > maxAnswerBytes) this.#stop("RESPONSE_INVALID", `the answer exceeds ${maxAnswerBytes} bytes`);
  }

  onResponseEnd(): void {
    this.#finish(this.#answer(false));
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, cause: Error): void {
    this.#finish(this.#status > 0 ? this.#answer(true) : { kind: "failure", code: failureCodeOf(cause), cause });
  }

  /** Ends the exchange early. With its status known the API has decided, whatever became of the rest. */
  #stop(code: FailureCode, message: string): void {
    const cause = new Error(message);
    this.#finish(this.#status > 0 ? this.#answer(true) : { kind: "failure", code, cause });
    this.#controller?.abort(cause);
  }

  #answer(isTruncated: boolean): Answer {
    const [first] = this.#chunks;
    const body = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    return { kind: "response", status: this.#status, body, isTruncated, retryAfter: this.#retryAfter };
  }

  #finish(answer: Answer): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#deadline);
    this.#settle(answer);
  }
}
