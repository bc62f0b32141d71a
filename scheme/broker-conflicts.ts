import { brokerName, isDataPlane } from "./broker-url.ts";
import type { BrokerInput, SchemeInput, VpcInput } from "./scheme.ts";
import type { Report } from "./shape.ts";

/** Reports what of a scheme's brokers cannot be together. */
export function reportBrokerConflicts({ commands, feeds = {}, brokers = [] }: SchemeInput, report: Report): void {
  const needing = [
    ...(commands === undefined ? [] : ["commands"]),
    ...(Object.keys(feeds).length === 0 ? [] : ["feeds"]),
  ];
  for (const key of brokers.length === 0 ? needing : []) {
    report("CONFIG_CONFLICT", key, "needs brokers that it is published to; there is none");
  }
  for (const [index, broker] of brokers.entries()) {
    const at = `brokers[${index}]`;
    reportKeyConflicts(broker, at, report);
    const same = brokers.findIndex(({ url }) => brokerName(url) === brokerName(broker.url));
    if (same < index) report("CONFIG_CONFLICT", `${at}.url`, `'${broker.url}' is the broker of brokers[${same}]`);
  }
  reportSecondVpc(brokers, report);
}

function reportKeyConflicts(broker: BrokerInput, at: string, report: Report): void {
  for (const key of isDataPlane(broker.url) ? (["credentials", "ca", "vpc"] as const) : []) {
    if (broker[key] === undefined) continue;
    report("CONFIG_CONFLICT", `${at}.${key}`, `is not for ${broker.url}, which AWS itself lets the functions use`);
  }
  if (broker.url.startsWith("mqtt:") && broker.ca !== undefined) {
    report("CONFIG_CONFLICT", `${at}.ca`, "is for mqtts:; over mqtt: no broker shows a certificate");
  }
}

/** The same functions connect to all brokers, and a function is in one network at most. */
function reportSecondVpc(brokers: readonly BrokerInput[], report: Report): void {
  const first = brokers.findIndex(({ vpc }) => vpc !== undefined);
  const expected = brokers[first]?.vpc;
  for (const [index, { vpc }] of brokers.entries()) {
    if (vpc === undefined || expected === undefined || textOf(vpc) === textOf(expected)) continue;
    const message = `is another than that of brokers[${first}], and the functions can be in one only`;
    report("CONFIG_CONFLICT", `brokers[${index}].vpc`, message);
  }
}

function textOf({ id, subnetIds, securityGroupIds = [] }: VpcInput): string {
  return JSON.stringify([id, subnetIds.toSorted(), securityGroupIds.toSorted()]);
}
