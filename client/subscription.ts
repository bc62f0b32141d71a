import { ClientError } from "./client-error.ts";
import type { Message } from "./message.ts";

type Result = IteratorResult<Message, undefined>;

/**
 * Messages to be read one after the other, by `for await` or `next()`. Leaving the loop ends the subscription, as its
 * disposal does.
 *
 * No message is passed over in silence: where the reader is so slow that the buffer is full, the subscription ends with
 * `CLIENT_OVERFLOW`, thrown when what is in the buffer has been read. It ends in order where the client is closed, and
 * by an error where the client has ended otherwise or the broker takes the subscription back.
 */
export class Subscription implements AsyncIterableIterator<Message, undefined>, AsyncDisposable {
  readonly filter: string;
  readonly #maxBuffered: number;
  #buffer: Message[] = [];
  #nextIndex = 0;
  readonly #readers: PromiseWithResolvers<Result>[] = [];
  #end: { readonly error?: ClientError } | undefined;
  #release: () => void = () => {};

  constructor(filter: string, maxBuffered: number) {
    this.filter = filter;
    this.#maxBuffered = maxBuffered;
  }

  /** @param release Gives the filter back, which the broker has granted now. */
  began(release: () => void): void {
    this.#release = release;
    // A flood of retained messages may have come before the SUBACK.
    if (this.#end !== undefined) release();
  }

  /** Messages that wait to be read. */
  get bufferedCount(): number {
    return this.#buffer.length - this.#nextIndex;
  }

  take(message: Message): void {
    if (this.#end !== undefined) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ value: message, done: false });
    } else if (this.bufferedCount < this.#maxBuffered) {
      this.#buffer.push(message);
    } else {
      this.#release();
      const problem = `${this.#maxBuffered} messages on ${this.filter} waited to be read, and one more came`;
      this.ended(new ClientError("CLIENT_OVERFLOW", problem));
    }
  }

  ended(error: ClientError): void {
    this.#finish(error.code === "CLIENT_CLOSED" ? {} : { error });
  }

  next(): Promise<Result> {
    const message = this.#buffer[this.#nextIndex];
    if (message !== undefined) {
      this.#advance();
      return Promise.resolve({ value: message, done: false });
    }
    if (this.#end === undefined) {
      const reader = Promise.withResolvers<Result>();
      this.#readers.push(reader);
      return reader.promise;
    }
    const { error } = this.#end;
    // An iterator that has thrown is done.
    this.#end = {};
    return error === undefined ? Promise.resolve(done) : Promise.reject(error);
  }

  async return(): Promise<Result> {
    this.#release();
    this.#finish({});
    this.#buffer = [];
    this.#nextIndex = 0;
    return done;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #finish(end: { readonly error?: ClientError }): void {
    if (this.#end !== undefined) return;
    const [first, ...others] = this.#readers.splice(0);
    this.#end = first === undefined ? end : {};
    if (end.error === undefined) first?.resolve(done);
    else first?.reject(end.error);
    for (const reader of others) reader.resolve(done);
  }

  #advance(): void {
    this.#nextIndex += 1;
    // What was read is let go of in steps, each as long as what remains: cheap, and never more than half is kept.
    if (this.#nextIndex * 2 < this.#buffer.length) return;
    this.#buffer = this.#buffer.slice(this.#nextIndex);
    this.#nextIndex = 0;
  }
}

const done: Result = { value: undefined, done: true };
