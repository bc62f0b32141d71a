/** Those who want to be told of something, in the order in which they said so. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** @returns What takes the listener away again. */
  add(listener: (value: T) => void): Disposable {
    // A function of its own, so that the same listener may be added twice.
    const own = (value: T) => listener(value);
    this.#listeners.add(own);
    return { [Symbol.dispose]: () => this.#listeners.delete(own) };
  }

  call(value: T): void {
    for (const listener of [...this.#listeners]) callSafely(() => listener(value));
  }
}

/** Calls what belongs to somebody else: an exception of theirs is the process's, and does not stop what we are doing. */
export function callSafely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
