import type { SQSRecord } from "aws-lambda";

/** What `forward` sends to the circuit queue when it has opened a route's circuit. */
export interface WakeUp {
  readonly route: string;
}

/** The routes that messages of the circuit queue name, as far as they name known ones. */
export function routesOf(records: readonly SQSRecord[], known: ReadonlySet<string>): ReadonlySet<string> {
  const named = records.map(({ body }) => readRoute(body));
  return new Set(named.filter((route) => route !== undefined && known.has(route)) as string[]);
}

function readRoute(body: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const { route } = typeof value === "object" && value !== null ? (value as Partial<WakeUp>) : {};
    return typeof route === "string" ? route : undefined;
  } catch {
    return undefined;
  }
}
