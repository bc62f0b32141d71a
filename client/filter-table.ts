import type { ClientError } from "./client-error.ts";
import type { Connection } from "./connection.ts";
import { type Claim, FilterEntry, isExact } from "./filter-entry.ts";
import { callSafely } from "./listeners.ts";
import type { Message } from "./message.ts";

export type { Claim } from "./filter-entry.ts";

/**
 * Of all subscriptions without wildcards: only one of them selects a topic. One with wildcards has a number of its own.
 */
const exactIdentifier = 1;

/** MQTT 5 §3.8.2.1.2. */
const maxIdentifier = 268_435_455;

/** Filters in one SUBSCRIBE or UNSUBSCRIBE: what AWS IoT Core takes. */
const maxFiltersPerPacket = 8;

/**
 * The filters that somebody here wants, each subscribed to once at the broker however many want it.
 *
 * SUBSCRIBE packets of one turn go out together. A filter that nobody wants any more is given back at the end of the
 * turn of the event loop, so that calls that follow one another keep it. The broker handles the packets of a connection
 * in their order: a filter that is wanted again while its UNSUBSCRIBE is under way is simply subscribed to again.
 *
 * Where filters overlap, a broker may send a message once for each (MQTT 5 §3.3.4, Mosquitto does). It says for which
 * one, so that nobody gets it twice. A broker with MQTT 3.1.1 does not say it.
 */
export class FilterTable {
  readonly #exact = new Map<string, FilterEntry>();
  readonly #wild = new Map<string, FilterEntry>();
  readonly #wildByIdentifier = new Map<number, FilterEntry>();
  #lastIdentifier = exactIdentifier;
  readonly #isClean: boolean;
  #connection: Connection | undefined;
  #end: ClientError | undefined;
  readonly #unsent = new Set<FilterEntry>();
  /** Those that nobody wanted any more at some moment of this turn. */
  readonly #unclaimed = new Set<FilterEntry>();
  /** What a session that is kept at the broker still has, though it was given up while there was no connection. */
  readonly #stale = new Set<string>();

  constructor({ isClean }: { readonly isClean: boolean }) {
    this.#isClean = isClean;
  }

  get size(): number {
    return this.#exact.size + this.#wild.size;
  }

  has(filter: string): boolean {
    return this.#exact.has(filter) || this.#wild.has(filter);
  }

  /** The claim is told when its filter is granted, at once where it is, or that there will be nothing. */
  claim(claim: Claim): void {
    if (this.#end !== undefined) {
      claim.ended(this.#end);
      return;
    }
    const entry = this.#entry(claim.filter);
    if (!entry.add(claim)) return;
    if (this.#unsent.size === 0) queueMicrotask(() => this.flush());
    this.#unsent.add(entry);
  }

  /** Sends the SUBSCRIBE packets of this turn, for somebody who is about to send something else. */
  flush(): void {
    if (this.#unsent.size === 0) return;
    const entries = [...this.#unsent].filter((entry) => entry.isClaimed);
    this.#unsent.clear();
    // Without a connection: they are among all the others that the next one begins with.
    if (this.#connection !== undefined) void this.#subscribe(this.#connection, entries);
  }

  release(claim: Claim): void {
    const entry = this.#find(claim.filter);
    if (entry?.delete(claim) && !entry.isClaimed) this.#sweepSoon(entry);
  }

  /**
   * Gives a message to all who want it; false where its topic is nobody's.
   *
   * @param identifiers Of the subscriptions that the broker means; none where it does not say.
   */
  dispatch(message: Message, identifiers: readonly number[]): boolean {
    // Before anybody is called, who may claim or release filters.
    const takers: ((message: Message) => void)[] = [];
    let isClaimed = false;
    for (const entry of this.#entriesOf(message.topic, identifiers)) {
      isClaimed ||= entry.isClaimed;
      takers.push(...entry.takersOf(message));
    }
    for (const take of takers) callSafely(() => take(message));
    return isClaimed;
  }

  /** Subscribes to everything on a new connection, and waits for the broker's answers. */
  async attach(connection: Connection): Promise<void> {
    this.#connection = connection;
    const entries = this.#entries();
    const stale = [...this.#stale].filter((filter) => !this.#exact.has(filter) && !this.#wild.has(filter));
    this.#stale.clear();
    this.#unsubscribe(stale);
    this.#unsent.clear();
    for (const entry of entries) entry.reset();
    await this.#subscribe(connection, entries);
  }

  detach(): void {
    this.#connection = undefined;
  }

  end(error: ClientError): void {
    this.#end = error;
    this.#unsent.clear();
    this.#unclaimed.clear();
    for (const entry of this.#entries()) {
      entry.end(error);
      this.#delete(entry);
    }
  }

  #entries(): readonly FilterEntry[] {
    return [...this.#exact.values(), ...this.#wild.values()];
  }

  #find(filter: string): FilterEntry | undefined {
    return this.#exact.get(filter) ?? this.#wild.get(filter);
  }

  #entry(filter: string): FilterEntry {
    const known = this.#find(filter);
    if (known !== undefined) return known;
    if (isExact(filter)) {
      const entry = new FilterEntry(filter, exactIdentifier);
      this.#exact.set(filter, entry);
      return entry;
    }
    this.#lastIdentifier = this.#lastIdentifier === maxIdentifier ? exactIdentifier + 1 : this.#lastIdentifier + 1;
    const entry = new FilterEntry(filter, this.#lastIdentifier);
    this.#wild.set(filter, entry);
    this.#wildByIdentifier.set(entry.identifier, entry);
    return entry;
  }

  #delete({ filter, identifier }: FilterEntry): void {
    this.#exact.delete(filter);
    this.#wild.delete(filter);
    this.#wildByIdentifier.delete(identifier);
  }

  /** Identifiers that nobody has are those of a subscription that was made before: then the topic says it. */
  #entriesOf(topic: string, identifiers: readonly number[]): readonly FilterEntry[] {
    const meant = identifiers
      .map((identifier) => {
        return identifier === exactIdentifier ? this.#exact.get(topic) : this.#wildByIdentifier.get(identifier);
      })
      .filter((entry) => entry?.matches(topic) === true) as FilterEntry[];
    if (meant.length > 0) return meant;
    const exact = this.#exact.get(topic);
    const entries = exact === undefined ? [] : [exact];
    for (const entry of this.#wild.values()) if (entry.matches(topic)) entries.push(entry);
    return entries;
  }

  async #subscribe(connection: Connection, entries: readonly FilterEntry[]): Promise<void> {
    // A packet has one QoS and one identifier.
    const alike = Map.groupBy(entries, ({ qos, identifier }) => `${qos} ${identifier}`);
    const packets = [...alike.values()].flatMap(chunksOf);
    await Promise.all(packets.map((chunk) => this.#subscribeTogether(connection, chunk)));
  }

  /** Resolves when the broker has answered, or the connection is lost. */
  #subscribeTogether(connection: Connection, entries: readonly FilterEntry[]): Promise<void> {
    const sent = entries.map((entry) => ({ entry, number: entry.send() }));
    const filters = entries.map(({ filter }) => filter);
    const { qos = 1, identifier = exactIdentifier } = entries[0] ?? {};
    return new Promise((resolve) => {
      connection.subscribe(filters, { qos, identifier }, (codes) => {
        resolve();
        // The next connection begins with all that is wanted then.
        if (codes === undefined || connection !== this.#connection) return;
        for (const [index, { entry, number }] of sent.entries()) {
          const code = codes[index] ?? 0x80;
          if (code < 0x80) entry.grant(number);
          else entry.refuse(number, code);
          if (!entry.isClaimed) this.#sweepSoon(entry);
        }
      });
    });
  }

  #sweepSoon(entry: FilterEntry): void {
    if (this.#unclaimed.size === 0) setImmediate(() => this.#sweep());
    this.#unclaimed.add(entry);
  }

  #sweep(): void {
    // Of an entry that was given up before its SUBACK came, there may be a successor by now.
    const given = [...this.#unclaimed].filter((entry) => !entry.isClaimed && this.#find(entry.filter) === entry);
    this.#unclaimed.clear();
    for (const entry of given) this.#delete(entry);
    const filters = given.filter(({ isSent }) => isSent).map(({ filter }) => filter);
    if (this.#connection !== undefined) this.#unsubscribe(filters);
    else if (!this.#isClean) for (const filter of filters) this.#stale.add(filter);
  }

  #unsubscribe(filters: readonly string[]): void {
    for (const chunk of chunksOf(filters)) this.#connection?.unsubscribe(chunk);
  }
}

function chunksOf<T>(items: readonly T[]): (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / maxFiltersPerPacket) }, (_, index) =>
    items.slice(index * maxFiltersPerPacket, (index + 1) * maxFiltersPerPacket),
  );
}
