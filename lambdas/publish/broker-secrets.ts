import type { BrokerInput } from "../../scheme/scheme.ts";
import { PublishError } from "./publish-error.ts";

/** With what a connection is opened. */
export interface BrokerSecrets {
  readonly username?: string;
  readonly password?: string;
  /** PEM of the authority that signed the broker's certificate. */
  readonly ca?: string;
}

export interface SecretsOptions {
  /** The broker's name in the ledger. */
  readonly name: string;
  readonly url: string;
  readonly credentials?: BrokerInput["credentials"];
  readonly ca?: BrokerInput["ca"];
  /** Looks a secret's text up by the secret's name. */
  readonly fetchSecret: (name: string) => Promise<string>;
}

/**
 * Gives what a broker is opened with, its secrets looked up once and kept; with `isFresh` they are looked up again.
 *
 * A user in the URL wins over a secret: that is how one machine's broker gets its own.
 *
 * The returned function rejects with a `PublishError`: `BROKER_UNREACHABLE` where a secret could not be looked up,
 * `BROKER_REFUSED` where it holds no credentials. The message names the secret and not its text.
 */
export function createBrokerSecrets(options: SecretsOptions): (isFresh?: boolean) => Promise<BrokerSecrets> {
  let current: Promise<BrokerSecrets> | undefined;
  return (isFresh = false) => {
    if (current !== undefined && !isFresh) return current;
    const reading = readAll(options);
    current = reading;
    reading.catch(() => {
      if (current === reading) current = undefined; // so that the next opening asks again
    });
    return reading;
  };
}

async function readAll(options: SecretsOptions): Promise<BrokerSecrets> {
  const { ca } = options;
  const [credentials, authority] = await Promise.all([
    readCredentials(options),
    ca === undefined || typeof ca === "string" ? ca : fetch(options, ca.name),
  ]);
  return { ...credentials, ...(authority === undefined ? {} : { ca: authority }) };
}

async function readCredentials(options: SecretsOptions): Promise<BrokerSecrets> {
  const { name, url, credentials } = options;
  const { username, password } = new URL(url);
  if (username !== "" || password !== "") {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  }
  if (credentials === undefined) return {};
  const found = parseCredentials(await fetch(options, credentials.name));
  if (found !== undefined) return found;
  const message = `secret '${credentials.name}' is not {"username":"…","password":"…"}`;
  throw new PublishError("BROKER_REFUSED", name, message);
}

function parseCredentials(text: string): BrokerSecrets | undefined {
  try {
    const { username, password } = JSON.parse(text);
    return typeof username === "string" && typeof password === "string" ? { username, password } : undefined;
  } catch {
    return undefined; // the error would show a part of the text
  }
}

async function fetch({ name, fetchSecret }: SecretsOptions, secretName: string): Promise<string> {
  try {
    return await fetchSecret(secretName);
  } catch (cause) {
    throw new PublishError("BROKER_UNREACHABLE", name, `secret '${secretName}' cannot be looked up`, { cause });
  }
}
