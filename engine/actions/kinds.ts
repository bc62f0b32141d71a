import { EngineError } from "../engine-error.ts";
import type { ActionPlan } from "../template/plan.ts";
import type { Action, ActionKind, ActionRule, ActionTargets } from "./action.ts";
import { lambdaAction } from "./lambda.ts";
import { republishAction } from "./republish.ts";
import { sqsAction } from "./sqs.ts";

/** The rule actions that the engine performs, as the template spells them. */
export const actionKinds: Readonly<Record<string, ActionKind>> = {
  Lambda: lambdaAction,
  Republish: republishAction,
  Sqs: sqsAction,
};

/** @throws {EngineError} `ERR_ACTION_UNSUPPORTED`, and what the action itself refuses. */
export function makeAction({ kind, properties, at }: ActionPlan, rule: ActionRule, targets: ActionTargets): Action {
  const make = Object.hasOwn(actionKinds, kind) ? actionKinds[kind] : undefined;
  if (make !== undefined) return make(properties, at, rule, targets);
  const known = Object.keys(actionKinds).join(", ");
  throw new EngineError("ERR_ACTION_UNSUPPORTED", `${at} is an action of kind ${kind}; performed are ${known}`);
}
