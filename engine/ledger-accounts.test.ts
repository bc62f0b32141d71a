import { expect, test } from "vitest";
import { accountsOf } from "./ledger-accounts.ts";
import type { MappingPlan, Plan, QueuePlan, RulePlan } from "./template/plan.ts";

const to = (name: string) => ({ kind: "Sqs", properties: { QueueUrl: `https://sqs/${name}` }, at: "Rule" });
const rule = (name: string, queues: readonly string[], errorQueue?: string) =>
  ({
    name,
    actions: [...queues.map(to), { kind: "Lambda", properties: { FunctionArn: "f" }, at: "Rule" }],
    errorAction: errorQueue === undefined ? undefined : to(errorQueue),
  }) as unknown as RulePlan;
const queue = (name: string, redriveTo?: string) => ({
  name,
  arn: name,
  url: `https://sqs/${name}`,
  redrive: redriveTo === undefined ? undefined : { toArn: redriveTo, maxReceiveCount: 1 },
});

test.for([
  ["a queue that a rule sends to", [rule("r", ["a"])], [queue("a"), queue("b")], [], { a: "r" }],
  [
    "its retry queue, and not the dead-letter queue",
    [rule("r", ["a"], "dead")],
    [queue("a", "retry"), queue("retry", "dead"), queue("dead")],
    ["a", "retry", "dead"],
    { a: "r", retry: "r" },
  ],
  ["no redrive target that no function reads", [rule("r", ["a"])], [queue("a", "b"), queue("b")], ["a"], { a: "r" }],
  [
    "no redrive target that reports come to",
    [rule("r", ["a"]), rule("s", [], "b")],
    [queue("a", "b"), queue("b")],
    ["a", "b"],
    { a: "r" },
  ],
  [
    "no redrive target of two queues",
    [rule("r", ["a"]), rule("s", ["b"])],
    [queue("a", "c"), queue("b", "c"), queue("c")],
    ["a", "b", "c"],
    { a: "r", b: "s" },
  ],
  ["each queue of a rule", [rule("r", ["a", "b"])], [queue("a"), queue("b")], [], { a: "r", b: "r" }],
  ["a queue of two rules", [rule("r", ["a"]), rule("s", ["a"])], [queue("a")], [], { a: "r+s" }],
  [
    "a rule's own queue although another one moves messages there",
    [rule("r", ["a"]), rule("s", ["b"])],
    [queue("a", "b"), queue("b")],
    ["b"],
    { a: "r", b: "s" },
  ],
] as const)("an account has %s", ([, rules, queues, read, accounts]) => {
  const plan = {
    rules,
    queues: new Map(queues.map((each) => [each.arn, each as QueuePlan])),
    mappings: read.map((queueArn) => ({ queueArn }) as MappingPlan),
  } as unknown as Plan;
  expect(Object.fromEntries(accountsOf(plan))).toEqual(accounts);
});
