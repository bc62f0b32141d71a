import { ClientError } from "./client-error.ts";

/** The longest time that a timer of Node keeps. */
const maxTimeoutMs = 2 ** 31 - 1;

/** A call that waits for something. It settles once: what comes afterwards is nothing to it. */
export class Pending<T> {
  readonly promise: Promise<T>;
  readonly #resolvers: PromiseWithResolvers<T>;
  readonly #timer: NodeJS.Timeout;
  #isSettled = false;
  /** Lets go of what the call holds; told whether it came to its time limit. */
  onSettled: (isLate: boolean) => void = () => {};

  /** @param describe What has not happened at the time limit. */
  constructor(timeoutMs: number, describe: () => string) {
    if (!(timeoutMs >= 0)) throw new ClientError("CLIENT_INVALID", `${timeoutMs} is no time limit in milliseconds`);
    this.#resolvers = Promise.withResolvers();
    this.promise = this.#resolvers.promise;
    this.#timer = setTimeout(
      () => {
        if (!this.#settle(true)) return;
        this.#resolvers.reject(new ClientError("CLIENT_TIMEOUT", `${describe()} within ${timeoutMs} ms`));
      },
      Math.min(timeoutMs, maxTimeoutMs),
    );
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  resolve(value: T): void {
    if (this.#settle(false)) this.#resolvers.resolve(value);
  }

  reject(error: ClientError): void {
    if (this.#settle(false)) this.#resolvers.reject(error);
  }

  #settle(isLate: boolean): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.onSettled(isLate);
    return true;
  }
}
