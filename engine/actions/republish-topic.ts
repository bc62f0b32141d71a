import { MessageError, quote } from "../../scheme/message-error.ts";
import { checkTopicName } from "../../scheme/topic-name.ts";
import type { Expression } from "../../sql/ast.ts";
import type { Message } from "../../sql/message.ts";
import type { Value } from "../../sql/value.ts";
import { EngineError } from "../engine-error.ts";
import { breaksConnection } from "../services/iot-publication.ts";
import type { ActionRule } from "./action.ts";
import { readTemplate } from "./action-template.ts";

/** What a rule republishes on. */
export interface RepublishTopic {
  /** The rule that a Basic Ingest topic names, undefined for an ordinary topic. */
  readonly ruleName: string | undefined;
  /**
   * The topic name for a message.
   *
   * @throws {Error} `SUBSTITUTION_INVALID`, which is the error action's to have.
   */
  nameFor(message: Message, variables: readonly Value[] | undefined): string;
  /**
   * All that it can be for messages whose topics a filter selects, as a filter; in it `#` may stand on any level, and is
   * one level or more.
   */
  filterFor(source: string): string;
}

/** `$$` is how the action's topic says `$`. */
const basicIngestPattern = /^\$\$(aws\/rules\/(\w+)\/)(.+)$/s;

/**
 * Reads the topic of a republish action.
 *
 * A value is part of one level, so that a device cannot choose by its payload who hears the message; the whole
 * `${topic()}` alone may be several. AWS documents no such check.
 *
 * @throws {EngineError}
 */
export function readRepublishTopic(template: string, at: string, rule: ActionRule): RepublishTopic {
  const [, prefix = "", ruleName, rest = template] = basicIngestPattern.exec(template) ?? [];
  if (/^\$(?!\{)/.test(rest) && ruleName === undefined) {
    const message = `${at} is ${template}: of reserved topics only $$aws/rules/<rule>/… is performed`;
    throw new EngineError("ERR_PROPERTY_UNSUPPORTED", message);
  }
  const { parts, fill } = readTemplate(rest, at, rule);
  checkLiteral(parts.filter((part) => typeof part === "string").join(""), template, at);
  return {
    ruleName,
    nameFor: (message, variables) => {
      const texts = fill(message, variables);
      for (const [index, part] of parts.entries()) {
        if (typeof part !== "string") checkValue(texts[index] ?? "", isTopic(part));
      }
      const name = texts.join("");
      checkName(name);
      return ruleName === undefined ? name : `$${prefix}${name}`;
    },
    filterFor: (source) => {
      const text = parts.map((part) => (typeof part === "string" ? part : isTopic(part) ? source : "+")).join("");
      return text.split("/").map(wildcardOf).join("/");
    },
  };
}

/** What stands in the template is in every topic name, and takes its part of the limits. */
function checkLiteral(literal: string, template: string, at: string): void {
  const reason =
    template === ""
      ? "it is empty"
      : /[+#]/.test(literal) || breaksConnection(literal)
        ? "it holds a wildcard or a character that MQTT does not take"
        : limitOf(literal);
  if (reason === undefined) return;
  throw new EngineError("ERR_PROPERTY_INVALID", `${at} is ${quote(template)}, no topic name: ${reason}`);
}

function checkValue(value: string, isTopicItself: boolean): void {
  const isForbidden = value.startsWith("$") || /[+#]/.test(value) || breaksConnection(value);
  if (isForbidden || (value.includes("/") && !isTopicItself)) {
    const forbidden = "a wildcard, a slash, $ at its beginning or a character that MQTT does not take";
    throw new Error(`SUBSTITUTION_INVALID: ${quote(value)} is no part of a topic level: it has ${forbidden}`);
  }
}

function checkName(name: string): void {
  const reason = name === "" ? "the topic is empty" : limitOf(name);
  if (reason !== undefined) throw new Error(`SUBSTITUTION_INVALID: ${reason}`);
}

function limitOf(name: string): string | undefined {
  try {
    checkTopicName(name);
    return undefined;
  } catch (error) {
    if (error instanceof MessageError) return error.message;
    throw error;
  }
}

/** `topic()` without an argument: the message's own topic, which its broker has let it have. */
function isTopic(expression: Expression): boolean {
  return expression.kind === "call" && /^topic$/i.test(expression.name) && expression.arguments.length === 0;
}

function wildcardOf(level: string): string {
  return level.includes("#") ? "#" : level.includes("+") ? "+" : level;
}
