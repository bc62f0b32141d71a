/** A map that forgets what was not asked for the longest, so that what comes from payloads stays bounded. */
export class LruCache<Value> {
  readonly #capacity: number;
  readonly #values = new Map<string, Value>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The value of a key, made when it is not there. */
  get(key: string, make: (key: string) => Value): Value {
    const known = this.#values.has(key);
    const value = known ? (this.#values.get(key) as Value) : make(key);
    // A Map keeps the order of insertion: the first is the one that nobody asked for since.
    this.#values.delete(key);
    this.#values.set(key, value);
    const [oldest] = this.#values.size > this.#capacity ? this.#values.keys() : [];
    if (oldest !== undefined) this.#values.delete(oldest);
    return value;
  }

  clear(): void {
    this.#values.clear();
  }

  get size(): number {
    return this.#values.size;
  }
}
