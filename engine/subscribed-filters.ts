import { crc32 } from "node:zlib";

/**
 * Topic filters by their subscription identifiers. Where filters overlap, a broker may send a message once for each (MQTT
 * 5 §3.3.4, Mosquitto does), and says by the identifier for which one it is.
 */
export class SubscribedFilters {
  readonly #byIdentifier: ReadonlyMap<number, readonly string[]>;

  constructor(filters: readonly string[]) {
    this.#byIdentifier = Map.groupBy(filters, (filter) => this.identifierOf(filter));
  }

  /** Made of the filter: what a session kept under a template before has to mean the same filter. */
  identifierOf(filter: string): number {
    // 28 bits, and not 0 (MQTT 5 §3.8.2.1.2).
    return crc32(filter) & 0x0fff_ffff || 1;
  }

  /**
   * The filters that a message is sent for; undefined where the broker does not say it, and for filters of before: then
   * the topic does.
   */
  named(identifiers: number | readonly number[] | undefined): readonly string[] | undefined {
    if (identifiers === undefined) return undefined;
    const filters = [identifiers].flat().flatMap((identifier) => this.#byIdentifier.get(identifier) ?? []);
    return filters.length === 0 ? undefined : filters;
  }
}
