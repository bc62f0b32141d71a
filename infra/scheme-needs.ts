import type { Scheme } from "../scheme/scheme.ts";

/** Names of the secrets that requests are made with. */
export function secretNames({ api }: Pick<Scheme, "api">): readonly string[] {
  const references = [...api.headers.values(), ...api.signing];
  return [...new Set(references.flatMap((value) => (typeof value === "string" ? [] : [value.name])))];
}

/** Whether a route remembers which messages the API has. */
export function hasLease({ routes }: Pick<Scheme, "routes">): boolean {
  return [...routes.values()].some(({ lease }) => lease !== undefined);
}

/** Whether a route keeps its messages. */
export function keepsMessages({ routes }: Pick<Scheme, "routes">): boolean {
  return [...routes.values()].some(({ keep }) => keep !== undefined);
}
