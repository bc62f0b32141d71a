import type { IClientOptions, IClientPublishOptions } from "mqtt";
import type { BrokerUrl } from "./broker-url.ts";
import type { ClientOptions, PublishProperties, Will } from "./client-options.ts";
import type { MessageProperties } from "./message.ts";
import type { Outgoing } from "./outbox.ts";

/** What `mqtt` is told for one connection: it neither connects again nor remembers subscriptions, which we do. */
export function mqttOptions(
  broker: BrokerUrl,
  { tls, will, keepAliveSeconds = 30, connectTimeoutMs = 5_000, isClean = true, ...options }: ClientOptions,
  { clientId, protocolVersion }: { readonly clientId: string; readonly protocolVersion: 4 | 5 },
): IClientOptions {
  const { username = broker.username, password = broker.password } = options;
  // Said in any case: what is left out ends the session with the connection in MQTT 5, where MQTT 3.1.1 keeps it until the
  // broker forgets it.
  const sessionExpiryInterval = isClean ? 0 : 0xffff_ffff;
  return {
    clientId,
    protocolVersion,
    reconnectPeriod: 0,
    resubscribe: false,
    clean: isClean,
    keepalive: keepAliveSeconds,
    connectTimeout: connectTimeoutMs,
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval } } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(will === undefined ? {} : { will: mqttWill(will, protocolVersion) }),
    ...tls,
  };
}

export function publishOptions({ qos, isRetained, properties }: Outgoing): IClientPublishOptions {
  const options = { qos, retain: isRetained };
  return properties === undefined ? options : { ...options, properties: mqttProperties(properties) };
}

function mqttWill(will: Will, protocolVersion: 4 | 5): NonNullable<IClientOptions["will"]> {
  const { topic, payload, qos = 1, isRetained = false, ...properties } = will;
  return {
    ...{ topic, payload: Buffer.from(payload), qos, retain: isRetained },
    ...(protocolVersion === 5 ? { properties: mqttProperties(properties) } : {}),
  };
}

type MqttProperties = NonNullable<IClientPublishOptions["properties"]>;

function mqttProperties(properties: MessageProperties & Partial<PublishProperties>): MqttProperties {
  const { userProperties, messageExpirySeconds, ...others } = properties;
  return {
    ...others,
    ...(messageExpirySeconds === undefined ? {} : { messageExpiryInterval: messageExpirySeconds }),
    ...(userProperties === undefined ? {} : { userProperties: valuesByName(userProperties) }),
  };
}

function valuesByName(pairs: NonNullable<MessageProperties["userProperties"]>): Record<string, string[]> {
  // A name may be one that every object has, `constructor` say.
  const values = Map.groupBy(pairs, ([name]) => name);
  return Object.fromEntries([...values].map(([name, own]) => [name, own.map(([, value]) => value)]));
}
