import { randomUUID } from "node:crypto";
import type { Message, MqttProperties } from "../message.ts";
import { type JsonObject, type JsonValue, setMember, toText, Undefined, type Value } from "../value.ts";
import { type FunctionTable, toIndex } from "./function.ts";

/** What `get_mqtt_property` calls a property, and where it is. */
const MQTT_PROPERTIES: Readonly<Record<string, (properties: MqttProperties) => string | undefined>> = {
  content_type: ({ contentType }) => contentType,
  correlation_data: ({ correlationData }) => correlationData,
  // A message without the indicator holds unspecified bytes (MQTT 5 §3.3.2.3.2).
  format_indicator: ({ payloadFormatIndicator = "UNSPECIFIED_BYTES" }) => payloadFormatIndicator,
  response_topic: ({ responseTopic }) => responseTopic,
};

/** An object for each, for every element of a nested SELECT that asks for them. */
const STEPS_PER_PROPERTY = 3;

/** Functions of the message that triggered the rule. */
export const messageFunctions: FunctionTable = {
  accountid: { arity: [0, 0], apply: ({ message }) => message.accountId ?? Undefined },
  clientid: { arity: [0, 0], apply: ({ message }) => (isMqtt(message) ? (message.clientId ?? "n/a") : "n/a") },
  get_mqtt_property: {
    arity: [1, 1],
    since: "2016-03-23",
    apply: ({ message }, name = Undefined) => mqttProperty(message.mqttProperties ?? {}, name),
  },
  get_user_properties: {
    arity: [0, 1],
    since: "2016-03-23",
    apply: ({ message, steps }, key) => {
      const { userProperties: properties = [] } = message;
      return properties.length === 0 || !steps.spend(STEPS_PER_PROPERTY * properties.length)
        ? Undefined
        : userProperties(properties, key);
    },
  },
  newuuid: { arity: [0, 0], apply: () => randomUUID() },
  principal: { arity: [0, 0], apply: ({ message }) => message.principal ?? Undefined },
  sourceip: { arity: [0, 0], since: "2016-03-23", apply: ({ message }) => message.sourceIp ?? Undefined },
  sql_version: { arity: [0, 0], apply: ({ version }) => version },
  timestamp: { arity: [0, 0], apply: ({ message }) => message.timestampMs },
  topic: { arity: [0, 1], apply: ({ message }, position) => topic(message, position) },
  traceid: { arity: [0, 0], apply: ({ message }) => (isMqtt(message) ? message.traceId : Undefined) },
};

function isMqtt(message: Message): boolean {
  return message.protocol !== "http";
}

/** The topic, or one of its levels, counted from 1. */
function topic({ topic: name }: Message, position: Value | undefined): Value {
  if (position === undefined) return name;
  const index = toIndex(position);
  return index === Undefined ? Undefined : (name.split("/")[index - 1] ?? Undefined);
}

function mqttProperty(properties: MqttProperties, name: Value): Value {
  if (typeof name !== "string" || !Object.hasOwn(MQTT_PROPERTIES, name)) return Undefined;
  return MQTT_PROPERTIES[name]?.(properties) ?? Undefined;
}

/** One key's values, or all properties as objects of one key each; Undefined when there are none. */
function userProperties(properties: readonly (readonly [string, string])[], key: Value | undefined): Value {
  const wanted = key === undefined ? undefined : toText(key);
  const found: JsonValue[] = [];
  for (const [name, value] of properties) {
    if (wanted === undefined) found.push(single(name, value));
    else if (name === wanted) found.push(value);
  }
  return found.length === 0 ? Undefined : found;
}

function single(key: string, value: string): JsonObject {
  const object: Record<string, JsonValue> = {};
  setMember(object, key, value);
  return object;
}
