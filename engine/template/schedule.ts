import { EngineError } from "../engine-error.ts";
import type { ReadingContext, SchedulePlan } from "./plan.ts";
import { noEffect, Properties, type PropertyTable, performed } from "./properties.ts";

export const scheduleProperties: PropertyTable = {
  Description: noEffect("is text"),
  Name: performed,
  ScheduleExpression: performed,
  State: performed,
  Tags: noEffect("are for people and bills"),
  Targets: performed,
};

const targetProperties: PropertyTable = { Arn: performed, Id: noEffect("names the target in its rule") };

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-events-rule.html */
export function readSchedule({ logicalId, properties, identity, functionArn }: ReadingContext): SchedulePlan {
  const targets = properties.list("Targets");
  return {
    logicalId,
    arn: identity.attributes.Arn ?? "",
    minutes: readRate(properties.text("ScheduleExpression"), `${logicalId}.ScheduleExpression`),
    isEnabled: readState(properties),
    functionArns: targets.map((target, index) =>
      functionArn(new Properties(target, targetProperties, `${logicalId}.Targets[${index}]`).text("Arn")),
    ),
  };
}

const minutesOf: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

/**
 * Minutes of a rate expression.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html, "Rate expressions"
 */
function readRate(expression: string, at: string): number {
  const [, digits, unit = "", plural] = /^rate\(([1-9]\d{0,6}) (minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  const value = Number(digits);
  // A singular unit with a value over 1, and the other way round, are no valid expression on AWS.
  if (digits !== undefined && value > 1 === (plural === "s")) return value * (minutesOf[unit] ?? 1);
  const code = expression.startsWith("rate(") ? "ERR_PROPERTY_INVALID" : "ERR_PROPERTY_UNSUPPORTED";
  throw new EngineError(code, `${at} is ${expression}; performed is rate(N minutes), hours or days`);
}

function readState(properties: Properties): boolean {
  const state = properties.optionalText("State") ?? "ENABLED";
  if (state === "ENABLED" || state === "DISABLED") return state === "ENABLED";
  throw new EngineError("ERR_PROPERTY_UNSUPPORTED", `${properties.at}.State is ${state}, which is not performed`);
}
