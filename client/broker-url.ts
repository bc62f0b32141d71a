import { ClientError } from "./client-error.ts";

/** Where a broker is, and who one is to it. */
export interface BrokerUrl {
  /** Without user and password, so that it may stand in a log. */
  readonly url: string;
  /** Host and port. */
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
}

const defaultPorts: Readonly<Record<string, string>> = {
  "mqtt:": "1883",
  "tcp:": "1883",
  "mqtts:": "8883",
  "ssl:": "8883",
  "tls:": "8883",
  "ws:": "80",
  "wss:": "443",
};

/** @throws {ClientError} `CLIENT_INVALID`, which does not repeat the URL: a password may be in it. */
export function readBrokerUrl(text: string): BrokerUrl {
  const url = URL.parse(text);
  const defaultPort = url === null ? undefined : defaultPorts[url.protocol];
  if (url === null || defaultPort === undefined || url.hostname === "") {
    throw new ClientError("CLIENT_INVALID", "a broker's URL is mqtt://host:port, or with mqtts:, ws: or wss:");
  }
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = "";
  url.password = "";
  return {
    url: url.href,
    address: `${url.hostname}:${url.port || defaultPort}`,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
  };
}
