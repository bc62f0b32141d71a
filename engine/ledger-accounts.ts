import type { ActionPlan, Plan } from "./template/plan.ts";

/**
 * Whose messages are where on disk: in which queue, and in the durable events of which function, by ARN. Where nobody
 * is named they are nobody's.
 *
 * A queue is the account of the rule that sends to it, and so are the events of a function that the rule invokes. So is
 * where they go when they fail, a redrive target or an on-failure destination, if that is a queue to try again from:
 * nothing else moves messages there, a function reads it, and no error action sends to it. Messages in any other one are
 * dead.
 */
export function accountsOf(plan: Plan): ReadonlyMap<string, string> {
  const accounts = new Map<string, string>();
  const reported = new Set(
    plan.rules.flatMap(({ errorAction }) => (errorAction ? targetsOf([errorAction], plan) : [])),
  );
  for (const { name, actions } of plan.rules) {
    for (const arn of targetsOf(actions, plan)) {
      const others = accounts.get(arn);
      // Rules that share a queue share an account: its rows do not say who sent them.
      accounts.set(arn, others === undefined || others === name ? name : `${others}+${name}`);
    }
  }
  const ways = waysOfFailures(plan);
  for (const [arn, account] of [...accounts]) {
    const target = ways.find(({ from }) => from === arn)?.to;
    if (target === undefined || accounts.has(target) || reported.has(target)) continue;
    const sources = ways.filter(({ to }) => to === target);
    if (sources.length === 1 && plan.mappings.some(({ queueArn }) => queueArn === target))
      accounts.set(target, account);
  }
  return accounts;
}

/** Where actions leave messages on disk. */
function targetsOf(actions: readonly ActionPlan[], { queues, functions }: Plan): readonly string[] {
  const named = actions.map(({ properties }) => (properties ?? {}) as { QueueUrl?: unknown; FunctionArn?: unknown });
  const durable = [...functions.values()].filter(({ asynchronous }) => asynchronous.onFailure !== undefined);
  return [
    ...[...queues.values()].filter(({ url }) => named.some(({ QueueUrl }) => QueueUrl === url)),
    ...durable.filter(({ arn }) => named.some(({ FunctionArn }) => FunctionArn === arn)),
  ].map(({ arn }) => arn);
}

/** Where messages go that came to nothing. */
function waysOfFailures({ queues, functions }: Plan): readonly { readonly from: string; readonly to: string }[] {
  const redrives = [...queues.values()].map(({ arn, redrive }) => ({ from: arn, to: redrive?.toArn }));
  const destinations = [...functions.values()].map(({ arn, asynchronous }) => ({
    from: arn,
    to: asynchronous.onFailure?.queueArn,
  }));
  return [...redrives, ...destinations].flatMap(({ from, to }) => (to === undefined ? [] : [{ from, to }]));
}
