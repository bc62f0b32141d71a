/** Tells those who wait that there may be something for them. */
export class Announcement {
  #callback: (() => void) | undefined;
  readonly #waiting = new Set<() => void>();
  #isDue = false;

  /** Calls back from now on, and soon for a first time. */
  call(callback: () => void): void {
    this.#callback = callback;
    this.make();
  }

  /** Resolves with the next announcement, or when the signal says to wait no longer. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#waiting.delete(end);
        signal.removeEventListener("abort", end);
        resolve();
      };
      this.#waiting.add(end);
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
    });
  }

  /** Many messages of one commit are one announcement, so that a batch is full before it is taken. */
  make(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#callback?.();
      this.#release();
    });
  }

  /** Calls back no more; nobody waits any longer. */
  end(): void {
    this.#callback = undefined;
    this.#release();
  }

  #release(): void {
    for (const end of [...this.#waiting]) end();
  }
}
