import { type IngestSource, repliesRoute, repliesSource } from "../scheme/ingest.ts";
import type { Scheme } from "../scheme/scheme.ts";

/** What topic rules are derived from, by the name that their messages have it under. */
export type IngestSources = ReadonlyMap<string, IngestSource>;

/** The scheme's routes, and the devices' replies where there are commands. */
export function ingestSources({ routes, commands }: Pick<Scheme, "routes" | "commands">): IngestSources {
  if (commands === undefined) return routes;
  return new Map<string, IngestSource>([...routes, [repliesRoute, repliesSource(commands)]]);
}
