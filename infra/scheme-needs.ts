import { isDataPlane } from "../scheme/broker-url.ts";
import type { Scheme, SecretReference } from "../scheme/scheme.ts";

/** Names of the secrets that requests are made with. */
export function apiSecretNames({ api }: Pick<Scheme, "api">): readonly string[] {
  return namesOf([...api.headers.values(), ...api.signing]);
}

/** Names of the secrets that brokers are connected to with. */
export function brokerSecretNames({ brokers }: Pick<Scheme, "brokers">): readonly string[] {
  return namesOf(brokers.flatMap(({ credentials, ca }) => [credentials, ca]));
}

/** Whether there is something that the backend publishes: commands, or feeds. */
export function publishes({ commands, feeds }: Pick<Scheme, "commands" | "feeds">): boolean {
  return commands !== undefined || feeds.size > 0;
}

/** Whether some of it goes to devices that are connected to AWS IoT Core itself. */
export function usesDataPlane({ brokers }: Pick<Scheme, "brokers">): boolean {
  return brokers.some(({ url }) => isDataPlane(url));
}

/** Whether a route remembers which messages the API has. */
export function hasLease({ routes }: Pick<Scheme, "routes">): boolean {
  return [...routes.values()].some(({ lease }) => lease !== undefined);
}

/** Whether a route keeps its messages. */
export function keepsMessages({ routes }: Pick<Scheme, "routes">): boolean {
  return [...routes.values()].some(({ keep }) => keep !== undefined);
}

function namesOf(values: readonly (string | SecretReference | undefined)[]): readonly string[] {
  return [...new Set(values.flatMap((value) => (typeof value === "object" ? [value.name] : [])))];
}
