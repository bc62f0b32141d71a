import type { ActionPlan, Plan } from "./template/plan.ts";

/**
 * Whose messages are in which queue, by the queue's ARN; a queue that is not there is nobody's.
 *
 * A queue is the account of the rule that sends to it. So is its redrive target, where that is a queue to try again
 * from: no other queue moves messages there, a function reads it, and no error action sends to it. Messages in any
 * other redrive target are dead.
 */
export function accountsOf(plan: Plan): ReadonlyMap<string, string> {
  const accounts = new Map<string, string>();
  const reported = new Set(plan.rules.flatMap(({ errorAction }) => (errorAction ? queuesOf([errorAction], plan) : [])));
  for (const { name, actions } of plan.rules) {
    for (const arn of queuesOf(actions, plan)) {
      const others = accounts.get(arn);
      // Rules that share a queue share an account: its rows do not say who sent them.
      accounts.set(arn, others === undefined || others === name ? name : `${others}+${name}`);
    }
  }
  for (const [arn, account] of [...accounts]) {
    const target = plan.queues.get(arn)?.redrive?.toArn;
    if (target === undefined || accounts.has(target) || reported.has(target)) continue;
    const sources = [...plan.queues.values()].filter(({ redrive }) => redrive?.toArn === target);
    if (sources.length === 1 && plan.mappings.some(({ queueArn }) => queueArn === target))
      accounts.set(target, account);
  }
  return accounts;
}

function queuesOf(actions: readonly ActionPlan[], plan: Plan): readonly string[] {
  const urls = actions.map(({ kind, properties }) =>
    kind === "Sqs" ? (properties as { readonly QueueUrl?: unknown } | undefined)?.QueueUrl : undefined,
  );
  return [...plan.queues.values()].filter(({ url }) => urls.includes(url)).map(({ arn }) => arn);
}
