import type { Message } from "../../sql/message.ts";
import type { TemplateParts } from "../../sql/template.ts";
import type { Value } from "../../sql/value.ts";
import { EngineError } from "../engine-error.ts";
import { makePublication, type PublicationHeaders } from "../services/iot-publication.ts";
import { ServiceError } from "../services/service-endpoint.ts";
import { Properties, type PropertyTable, performed } from "../template/properties.ts";
import type { ActionRule } from "./action.ts";
import { readTemplate } from "./action-template.ts";

/** MQTT 5 properties for a message. */
export type RepublishHeaders = (message: Message, variables: readonly Value[] | undefined) => PublicationHeaders;

/** The properties that are one text, and what IoT Core's Publish calls them. */
const textNames = {
  PayloadFormatIndicator: "payloadFormatIndicator",
  ContentType: "contentType",
  ResponseTopic: "responseTopic",
  CorrelationData: "correlationData",
  MessageExpiry: "messageExpiry",
} as const;

export const headerProperties: PropertyTable = {
  ...Object.fromEntries(Object.keys(textNames).map((name) => [name, performed])),
  UserProperties: performed,
};

const userProperty: PropertyTable = { Key: performed, Value: performed };

const maxUserProperties = 100;
/** Of a text in the template, before anything is substituted. */
const maxCharacters = 1024;

/**
 * Reads the headers of a republish action. One that comes to no text is left out: what a rule copies from a message
 * may be Undefined there.
 *
 * @throws {EngineError}
 * @see https://docs.aws.amazon.com/iot/latest/apireference/API_MqttHeaders.html
 */
export function readRepublishHeaders(properties: Properties | undefined, rule: ActionRule): RepublishHeaders {
  if (properties === undefined) return () => ({ userProperties: [] });
  const { at } = properties;
  const texts = Object.entries(textNames).flatMap(([property, name]) => {
    const text = properties.optionalText(property);
    return text === undefined ? [] : [{ name, template: readText(text, `${at}.${property}`, rule, name) }];
  });
  const pairs = properties.list("UserProperties").map((item, index) => {
    const pair = new Properties(item, userProperty, `${at}.UserProperties[${index}]`);
    const read = (name: string) => readText(pair.text(name), `${pair.at}.${name}`, rule, "contentType");
    return [read("Key"), read("Value")] as const;
  });
  if (pairs.length > maxUserProperties) {
    const message = `${at} has ${pairs.length} user properties, the limit is ${maxUserProperties}`;
    throw new EngineError("ERR_PROPERTY_INVALID", message);
  }
  return (message, variables) => {
    const textOf = (template: TemplateParts) => template.fill(message, variables).join("");
    return {
      ...Object.fromEntries(texts.map(({ name, template }) => [name, textOf(template) || undefined])),
      userProperties: pairs.map(([key, value]) => [textOf(key), textOf(value)] as const),
    };
  };
}

/** @param check The header that the text is, or one that takes the same. */
function readText(text: string, at: string, rule: ActionRule, check: keyof PublicationHeaders): TemplateParts {
  if (text.length > maxCharacters) {
    throw new EngineError("ERR_PROPERTY_INVALID", `${at} has ${text.length} characters, the limit is ${maxCharacters}`);
  }
  const template = readTemplate(text, at, rule);
  if (template.parts.every((part) => typeof part === "string")) checkLiteral({ [check]: text || undefined }, at);
  return template;
}

/** What is wrong for every message is refused at the start. */
function checkLiteral(headers: Partial<PublicationHeaders>, at: string): void {
  const anything = { topic: "", payload: new Uint8Array(), qos: 0, isRetained: false } as const;
  try {
    makePublication(anything, { userProperties: [], ...headers });
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new EngineError("ERR_PROPERTY_INVALID", `${at}: ${error.message}`, { cause: error });
  }
}
