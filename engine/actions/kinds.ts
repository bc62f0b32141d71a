import { EngineError } from "../engine-error.ts";
import type { ActionPlan, RulePlan } from "../template/plan.ts";
import type { Action, ActionKind, ActionTargets } from "./action.ts";
import { lambdaAction } from "./lambda.ts";
import { sqsAction } from "./sqs.ts";

/** The rule actions that the engine performs, as the template spells them. */
export const actionKinds: Readonly<Record<string, ActionKind>> = {
  Lambda: lambdaAction,
  Sqs: sqsAction,
};

/** @throws {EngineError} `ERR_ACTION_UNSUPPORTED`, and what the action itself refuses. */
export function makeAction({ kind, properties, at }: ActionPlan, rule: RulePlan, targets: ActionTargets): Action {
  const make = Object.hasOwn(actionKinds, kind) ? actionKinds[kind] : undefined;
  if (make !== undefined) return make(properties, at, rule, targets);
  const known = Object.keys(actionKinds).join(", ");
  throw new EngineError("ERR_ACTION_UNSUPPORTED", `${at} is an action of kind ${kind}; performed are ${known}`);
}
