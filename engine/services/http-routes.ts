import type { HttpRoutePlan } from "../template/plan.ts";

/** A route that takes a request, and what its path variables stand for. */
export interface SelectedRoute {
  readonly route: HttpRoutePlan;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/**
 * The segments of a path, each decoded once, and nothing resolved: `%2F` parts no segments and `..` is one like any
 * other. Undefined for what is no percent-encoding of UTF-8.
 */
export function readSegments(path: string): readonly string[] | undefined {
  try {
    return path.slice(1).split("/").map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

/**
 * Selects the route with the most specific match: a literal segment before a variable, a variable before a greedy one,
 * a method before ANY, and `$default` for the rest.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */
export function selectRoute(
  routes: readonly HttpRoutePlan[],
  method: string,
  segments: readonly string[],
): SelectedRoute | undefined {
  const [best] = routes
    .flatMap((route) => matchOf(route, method, segments))
    .toSorted((one, other) => (one.rank < other.rank ? -1 : 1));
  return best && { route: best.route, pathParameters: Object.fromEntries(best.variables) };
}

interface Match {
  readonly route: HttpRoutePlan;
  /** A character for each segment and one for the method: what comes first in the alphabet is more specific. */
  readonly rank: string;
  readonly variables: ReadonlyMap<string, string>;
}

const ranks = { literal: "a", variable: "b", greedy: "c", default: "d" };

function matchOf(route: HttpRoutePlan, method: string, segments: readonly string[]): readonly Match[] {
  const { target } = route;
  if (target === undefined) return [{ route, rank: ranks.default, variables: new Map() }];
  if (target.method !== "ANY" && target.method !== method) return [];
  const variables = new Map<string, string>();
  let rank = "";
  for (const [index, wanted] of target.segments.entries()) {
    const [, name, plus] = /^\{(\w+)(\+?)\}$/.exec(wanted) ?? [];
    const found = plus === "+" ? segments.slice(index).join("/") : segments[index];
    // A variable stands for something.
    if (found === undefined || (name === undefined ? found !== wanted : found === "")) return [];
    if (name !== undefined) variables.set(name, found);
    if (plus === "+") return [{ route, rank: `${rank}${ranks.greedy}${methodRank(target.method)}`, variables }];
    rank += name === undefined ? ranks.literal : ranks.variable;
  }
  if (target.segments.length !== segments.length) return [];
  return [{ route, rank: `${rank}${methodRank(target.method)}`, variables }];
}

function methodRank(method: string): string {
  return method === "ANY" ? "1" : "0";
}
