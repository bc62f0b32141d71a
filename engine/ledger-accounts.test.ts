import { expect, test } from "vitest";
import { accountsOf } from "./ledger-accounts.ts";
import type { FunctionPlan, MappingPlan, Plan, QueuePlan, RulePlan } from "./template/plan.ts";

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

const invoking = (name: string, ...functions: readonly string[]) =>
  ({
    name,
    actions: functions.map((FunctionArn) => ({ kind: "Lambda", properties: { FunctionArn }, at: "Rule" })),
  }) as unknown as RulePlan;
const lambda = (arn: string, failTo?: string) =>
  ({
    arn,
    asynchronous: { onFailure: failTo === undefined ? undefined : { queueArn: failTo, at: arn } },
  }) as FunctionPlan;

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
  expectAccounts({ rules, queues, read, functions: [lambda("f")] }, accounts);
});

test.for([
  [
    "the events of a function with an on-failure destination, and the destination that a function reads",
    [invoking("r", "events")],
    [queue("failed")],
    ["failed"],
    { events: "r", failed: "r" },
  ],
  ["no destination that no function reads", [invoking("r", "events")], [queue("failed")], [], { events: "r" }],
  [
    "no destination that reports come to",
    [invoking("r", "events"), rule("s", [], "failed")],
    [queue("failed")],
    ["failed"],
    { events: "r" },
  ],
  [
    "no destination of two functions",
    [invoking("r", "events", "others")],
    [queue("failed")],
    ["failed"],
    { events: "r", others: "r" },
  ],
  [
    "no destination to which a queue moves messages too",
    [invoking("r", "events"), rule("s", ["a"])],
    [queue("a", "failed"), queue("failed")],
    ["failed"],
    { events: "r", a: "s" },
  ],
  [
    "the events that two rules send to a function",
    [invoking("r", "events"), invoking("s", "events")],
    [queue("failed")],
    ["failed"],
    { events: "r+s", failed: "r+s" },
  ],
  ["no events that are in memory", [invoking("r", "f")], [queue("failed")], ["failed"], {}],
] as const)("an account has %s", ([, rules, queues, read, accounts]) => {
  const others = rules[0].actions.length > 1 ? [lambda("others", "failed")] : [];
  expectAccounts({ rules, queues, read, functions: [lambda("f"), lambda("events", "failed"), ...others] }, accounts);
});

interface Setting {
  readonly rules: readonly RulePlan[];
  readonly queues: readonly ReturnType<typeof queue>[];
  /** Queues that a function reads. */
  readonly read: readonly string[];
  readonly functions: readonly FunctionPlan[];
}

function expectAccounts({ rules, queues, read, functions }: Setting, accounts: object): void {
  const plan = {
    rules,
    queues: new Map(queues.map((each) => [each.arn, each as QueuePlan])),
    functions: new Map(functions.map((each) => [each.arn, each])),
    mappings: read.map((queueArn) => ({ queueArn }) as MappingPlan),
  } as unknown as Plan;
  expect(Object.fromEntries(accountsOf(plan))).toEqual(accounts);
}
