import { crc32 } from "node:zlib";

/**
 * Topic filters by their subscription identifiers. Where filters overlap, a broker may send a message once for each (MQTT
 * 5 §3.3.4, Mosquitto does), and says by the identifier for which one it is. Filters that overlap no other have none: to read
 * it costs a tenth of what a message takes.
 */
export class SubscribedFilters {
  readonly #byIdentifier: ReadonlyMap<number, readonly string[]>;
  readonly #overlapping: ReadonlySet<string>;

  constructor(filters: readonly string[]) {
    this.#byIdentifier = Map.groupBy(filters, identifierOf);
    this.#overlapping = overlappingOf(filters);
  }

  /** What a filter is subscribed to with. */
  subscriptionOf(filter: string): { readonly filter: string; readonly identifier?: number } {
    return this.#overlapping.has(filter) ? { filter, identifier: identifierOf(filter) } : { filter };
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

/** Made of the filter: what a session kept under a template before has to mean the same filter. */
export function identifierOf(filter: string): number {
  // 28 bits, and not 0 (MQTT 5 §3.8.2.1.2).
  return crc32(filter) & 0x0fff_ffff || 1;
}

/** Those that can select a topic which another one selects, too. */
function overlappingOf(filters: readonly string[]): ReadonlySet<string> {
  const levels = filters.map((filter) => filter.split("/"));
  const isOverlapping = (own: readonly string[], index: number) =>
    levels.some((others, other) => other !== index && overlaps(own, others));
  return new Set(filters.filter((_, index) => isOverlapping(levels[index] ?? [], index)));
}

/** As a broker sees it: `#` selects the level before it as well, and no wildcard a first level with `$` (MQTT 5 §4.7). */
function overlaps(a: readonly string[], b: readonly string[]): boolean {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [one, other] = [a[index], b[index]];
    if (one !== other && index === 0 && (one?.startsWith("$") || other?.startsWith("$"))) return false;
    if (one === "#" || other === "#") return true;
    if (one === undefined || other === undefined) return false;
    if (one !== other && one !== "+" && other !== "+") return false;
  }
  return true;
}
