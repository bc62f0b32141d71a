import { isDeepStrictEqual } from "node:util";
import { byHand, type Evaluator, loadPeers, ours, type SqlSubject } from "./support/sql-peers.ts";
import { type BenchRule, benchRules } from "./support/sql-rules.ts";
import { isNamed, median, printTable } from "./support/table.ts";

export interface SqlOptions {
  readonly rounds: number;
  /** Parts of the names of those to be measured; none for all. By hand is always among them. */
  readonly only: readonly string[];
}

/** Processor time for one subject and rule in one round, and before the first. */
const sliceMs = 150;
const warmUpMs = 400;
/** Evaluations between two looks at the clock. */
const batch = 200;

/** Evaluations a second of five typical rules, the parsing of the payload included. */
export async function benchSql({ rounds, only }: SqlOptions): Promise<void> {
  const peers = loadPeers();
  if (typeof peers === "string") console.log(`jsonata and alasql: left out, they ${peers}`);
  const others = [ours, ...(typeof peers === "string" ? [] : peers)].filter(({ name }) => isNamed(name, only));
  const subjects = [byHand, ...others];
  const rows: (readonly string[])[] = [];
  for (const rule of benchRules) {
    const evaluators = await prepare(rule, subjects);
    const perSecond = await measure(rule, evaluators, rounds);
    const reference = perSecond.get(byHand) ?? [];
    for (const subject of subjects) {
      const rates = perSecond.get(subject);
      // Round by round, because the machine is another one in each.
      const times = median((rates ?? []).map((rate, round) => (reference[round] ?? Number.NaN) / rate));
      const cells = rates === undefined ? ["–", "–"] : [Math.round(median(rates)).toString(), times.toFixed(2)];
      rows.push([subject === byHand ? rule.name : "", subject.name, ...cells]);
    }
  }
  console.log(`\nevaluations per second of processor time, JSON parsing included; median of ${rounds} rounds\n`);
  printTable(["rule", "", "per second", "× time by hand"], rows);
}

/** Each has to give what is given by hand before it counts. */
async function prepare(rule: BenchRule, subjects: readonly SqlSubject[]): Promise<ReadonlyMap<SqlSubject, Evaluator>> {
  const evaluators = new Map<SqlSubject, Evaluator>();
  const expected = rule.byHand(rule.message);
  for (const subject of subjects) {
    const evaluate = subject.prepare(rule);
    if (evaluate === undefined) continue;
    const actual = await evaluate(rule.message);
    // jsonata marks its arrays, which JSON does not show.
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(actual)), expected)) {
      throw new Error(`${subject.name} gives ${JSON.stringify(actual)} for ${rule.name}`);
    }
    evaluators.set(subject, evaluate);
  }
  return evaluators;
}

async function measure(rule: BenchRule, evaluators: ReadonlyMap<SqlSubject, Evaluator>, rounds: number) {
  const perSecond = new Map<SqlSubject, number[]>();
  for (const evaluate of evaluators.values()) await run(evaluate, rule, warmUpMs);
  for (let round = 1; round <= rounds; round += 1) {
    for (const [subject, evaluate] of evaluators) {
      const rates = perSecond.get(subject) ?? [];
      rates.push(await run(evaluate, rule, sliceMs));
      perSecond.set(subject, rates);
    }
  }
  return perSecond;
}

/** @returns evaluations per second of processor time, so that what else runs on the machine counts little */
async function run(evaluate: Evaluator, { message }: BenchRule, forMs: number): Promise<number> {
  const isPromise = evaluate(message) instanceof Promise;
  const begin = process.cpuUsage();
  for (let count = 0; ; ) {
    if (isPromise) for (let left = batch; left > 0; left -= 1) await evaluate(message);
    else for (let left = batch; left > 0; left -= 1) evaluate(message);
    count += batch;
    const { user, system } = process.cpuUsage(begin);
    if (user + system > forMs * 1000) return (count / (user + system)) * 1e6;
  }
}
