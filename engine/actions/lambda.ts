import { EngineError } from "../engine-error.ts";
import type { LedgerEntry } from "../services/ledger.ts";
import { mayInvoke } from "../template/permissions.ts";
import { Properties, type PropertyTable, performed } from "../template/properties.ts";
import type { Action, ActionRule, ActionTargets, RuleOutput } from "./action.ts";
import { outputJson } from "./output-json.ts";

const lambdaProperties: PropertyTable = { FunctionArn: performed };

/**
 * Invokes a function asynchronously. The action is done when the event is accepted, on disk where it is durable: what
 * the function does with it, the rule never learns, on AWS as here.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/lambda-rule-action.html
 */
export function lambdaAction(
  value: unknown,
  at: string,
  rule: ActionRule,
  { events, plan, count }: ActionTargets,
): Action {
  const arn = new Properties(value, lambdaProperties, at).text("FunctionArn");
  const target = events(arn);
  if (target === undefined) throw new EngineError("ERR_REFERENCE", `${at} invokes ${arn}, no function of the template`);
  if (!mayInvoke(plan, "iot.amazonaws.com", rule.arn, arn)) {
    const message = `${at} invokes ${arn} without an AWS::Lambda::Permission for ${rule.arn}: AWS would refuse it`;
    throw new EngineError("ERR_PERMISSION_MISSING", message);
  }
  const dead: LedgerEntry = { account: rule.name, amounts: { received: 1, dead: 1 } };
  return {
    name: "LambdaAction",
    resource: arn,
    // Not `async`: a durable event's row and its receipt are staged in one turn.
    run: (output, { messageId: requestId, isReport }) => {
      const event = eventOf(output, isReport);
      if (!isReport) return target.accept(event, { requestId, account: rule.name });
      const written = target.accept(event, { requestId, deadOf: rule.name });
      // No row speaks of it.
      if (written === undefined) count(dead);
      return written;
    },
  };
}

function eventOf(output: RuleOutput, isReport: boolean): string {
  if (output.kind === "json") return outputJson(output, isReport);
  const text = Buffer.from(output.bytes).toString();
  if (isJson(text)) return text;
  // AWS hands over JSON only: the rule has to encode binary payloads.
  throw new Error("the payload is not JSON; SELECT encode(*, 'base64') AS data");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
