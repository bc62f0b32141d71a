/** Runs tasks that share a key one after another, in the order of the calls; others at the same time. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** A task whose signal is aborted before its turn is not begun; the call rejects at once, with the signal's reason. */
  async run<Result>(key: string, signal: AbortSignal, task: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    // Who gives up while waiting does not let those behind overtake the one before.
    const last = Promise.all([before, ended]);
    this.#last.set(key, last);
    try {
      if (before !== undefined) await unlessAborted(before, signal);
      return await task();
    } finally {
      end();
      void last.then(() => {
        if (this.#last.get(key) === last) this.#last.delete(key);
      });
    }
  }
}

/** The promise's result, or the signal's reason as soon as it is aborted. */
export async function unlessAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
