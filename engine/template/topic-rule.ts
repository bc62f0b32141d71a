import { EngineError } from "../engine-error.ts";
import type { ActionPlan, ReadingContext, RulePlan } from "./plan.ts";
import { noEffect, type PropertyTable, performed } from "./properties.ts";

export const topicRuleProperties: PropertyTable = {
  RuleName: performed,
  TopicRulePayload: performed,
  Tags: noEffect("are for people and bills"),
};

const payloadProperties: PropertyTable = {
  Actions: performed,
  AwsIotSqlVersion: performed,
  Description: noEffect("is text"),
  ErrorAction: performed,
  RuleDisabled: performed,
  Sql: performed,
};

export function readTopicRule({ logicalId, properties, identity }: ReadingContext): RulePlan {
  const payload = properties.child("TopicRulePayload", payloadProperties);
  const actions = payload.list("Actions");
  if (actions.length > 10) {
    const message = `${logicalId} has ${actions.length} actions, the limit is 10 for a rule`;
    throw new EngineError("ERR_PROPERTY_INVALID", message);
  }
  const errorAction = payload.value("ErrorAction");
  return {
    logicalId,
    name: identity.name,
    arn: identity.attributes.Arn ?? "",
    sql: payload.text("Sql"),
    // What AWS applies to a rule that names no version.
    sqlVersion: payload.optionalText("AwsIotSqlVersion") ?? "2015-10-08",
    isDisabled: payload.flag("RuleDisabled", false),
    actions: actions.map((action, index) => readAction(action, `${payload.at}.Actions[${index}]`)),
    errorAction: errorAction === undefined ? undefined : readAction(errorAction, `${payload.at}.ErrorAction`),
  };
}

/** An action is an object whose one key is its kind. */
function readAction(value: unknown, at: string): ActionPlan {
  const [entry, another] = Object.entries((value ?? {}) as object);
  if (entry === undefined || another !== undefined) {
    throw new EngineError("ERR_PROPERTY_INVALID", `${at} is ${JSON.stringify(value)}, not one action`);
  }
  return { kind: entry[0], properties: entry[1], at: `${at}.${entry[0]}` };
}
