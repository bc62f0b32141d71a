import { readFileSync } from "node:fs";
import { isDataPlane } from "../scheme/broker-url.ts";
import type { Scheme } from "../scheme/scheme.ts";

/** What a template wants of the machine that it runs on. */
export interface Needs {
  readonly hasBrokerUrls: boolean;
  readonly hasPushEndpoint: boolean;
}

/** Reads it from a synthesized template. */
export function readNeeds(templateFile: string): Needs {
  const { Parameters = {}, Resources = {} } = JSON.parse(readFileSync(templateFile, "utf8")) as Template;
  return {
    hasBrokerUrls: Object.hasOwn(Parameters, "BrokerUrls"),
    hasPushEndpoint: Object.values(Resources).some(({ Type }) => Type === "AWS::ApiGatewayV2::Api"),
  };
}

interface Template {
  readonly Parameters?: Readonly<Record<string, object>>;
  readonly Resources?: Readonly<Record<string, { readonly Type: string }>>;
}

/**
 * The template's parameters with what there is on this machine. One broker stands for all of the scheme's: to publish to
 * those from here would send the commands of somebody who tries something out to the real fleet. Where the scheme has
 * none but AWS IoT Core, the engine's data plane stands for that, and publishes to the same broker.
 */
export function localParameters(
  { brokers }: Pick<Scheme, "brokers">,
  { hasBrokerUrls }: Needs,
  { apiUrl, brokerUrl }: { readonly apiUrl: string; readonly brokerUrl: string },
): Readonly<Record<string, string>> {
  const isDataPlaneOnly = brokers.every(({ url }) => isDataPlane(url));
  return { ApiUrl: apiUrl, ...(hasBrokerUrls && !isDataPlaneOnly ? { BrokerUrls: brokerUrl } : {}) };
}
