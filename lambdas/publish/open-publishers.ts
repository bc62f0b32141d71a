import { brokerName, isDataPlane } from "../../scheme/broker-url.ts";
import type { BrokerInput } from "../../scheme/scheme.ts";
import type { CommandPublisher } from "./command-publisher.ts";
import { DataPlanePublisher } from "./data-plane-publisher.ts";
import { MqttPublisher } from "./mqtt-publisher.ts";

export interface OpenOptions {
  /** The scheme's: their credentials and authorities, by place. */
  readonly brokers: readonly BrokerInput[];
  /** The URLs to publish to, in the order of the scheme's brokers; theirs, or those of this machine. */
  readonly urls: readonly string[];
  /** Looks a secret's text up by the secret's name. */
  readonly fetchSecret: (name: string) => Promise<string>;
}

/**
 * A publisher for each broker, with the name that the ledger has it by. None connects before its first use.
 *
 * Throws where a URL is none of a broker or two are of the same one; the message tells no password.
 */
export function openPublishers({ brokers, urls, fetchSecret }: OpenOptions): readonly CommandPublisher[] {
  const publishers = urls.map((url, index): CommandPublisher => {
    if (!isBrokerUrl(url)) throw new Error(`the broker URL in place ${index + 1} is not mqtt:, mqtts: or aws-iot:`);
    const name = brokerName(url);
    if (isDataPlane(url)) return new DataPlanePublisher({ name });
    const { credentials, ca } = brokers[index] ?? {};
    return new MqttPublisher({
      ...{ name, url, fetchSecret },
      ...(credentials === undefined ? {} : { credentials }),
      ...(ca === undefined ? {} : { ca }),
    });
  });
  const names = publishers.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new Error(`two broker URLs lead to ${twice}`);
  return publishers;
}

function isBrokerUrl(url: string): boolean {
  return isDataPlane(url) || (/^mqtts?:\/\/./.test(url) && URL.canParse(url));
}
