import { type Check, show } from "./shape.ts";

/** The URL of AWS IoT Core's data plane in the region of the functions. */
export const dataPlaneUrl = "aws-iot:";

/** A host, an IPv6 address in brackets; no comma above all, which separates URLs in the template's parameter. */
const mqttUrl = /^mqtts?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?\/?$/;

const defaultPorts: Readonly<Record<string, number>> = { "mqtt:": 1883, "mqtts:": 8883 };

/** Whether commands go to devices that are connected to AWS IoT Core itself. */
export function isDataPlane(url: string): boolean {
  return url === dataPlaneUrl;
}

/**
 * What the ledger calls a broker: `broker.example.com:8883`, or `aws-iot`. Two URLs with one name lead to one broker.
 *
 * @param url A broker's URL that was checked, with or without credentials.
 */
export function brokerName(url: string): string {
  if (isDataPlane(url)) return "aws-iot";
  const { protocol, hostname, port } = new URL(url);
  return `${hostname.toLowerCase()}:${port || defaultPorts[protocol]}`;
}

/** The URL of a broker in a scheme. */
export const brokerUrl: Check = (value, at, report) => {
  if (value === dataPlaneUrl) return;
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url !== null && (url.username !== "" || url.password !== "")) {
    report("TARGET_INVALID", at, "holds credentials; brokers take them from a secret");
  } else if (url === null || !mqttUrl.test(String(value))) {
    report("TARGET_INVALID", at, `${show(value)} is not mqtt://host:port, mqtts://host:port or ${dataPlaneUrl}`);
  }
};
