import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compileStatement } from "../../sql/compile.ts";
import type { AlasqlRule, BenchMessage, BenchRule } from "./sql-rules.ts";

/** Evaluates one message; a promise where the peer knows no other way. */
export type Evaluator = (message: BenchMessage) => unknown;

export interface SqlSubject {
  readonly name: string;
  /** Undefined for a rule that it cannot say. */
  prepare(rule: BenchRule): Evaluator | undefined;
}

export const byHand: SqlSubject = { name: "by hand", prepare: (rule) => rule.byHand };

export const ours: SqlSubject = {
  name: "Trestle's SQL",
  prepare: ({ sql }) => {
    const statement = compileStatement(sql, { version: "2016-03-23" });
    return ({ topic, payload }) => {
      const evaluation = statement.evaluate({ topic, payload, timestampMs: 0, traceId: "" });
      return evaluation.kind === "json" ? evaluation.value : undefined;
    };
  },
};

/** The part of the packages that is used; they are not among those of the project. */
interface Packages {
  readonly jsonata: (expression: string) => { evaluate(input: unknown, bindings?: object): Promise<unknown> };
  readonly alasql: { compile(query: string): (parameters: readonly unknown[]) => readonly unknown[] };
}

/** @returns why they cannot be had, where they cannot */
export function loadPeers(): readonly SqlSubject[] | string {
  const packages = loadPackages();
  if (typeof packages === "string") return packages;
  const { jsonata, alasql } = packages;
  return [
    {
      name: "jsonata 2.2.2",
      prepare: (rule) => {
        const expression = jsonata(rule.jsonata);
        // Only the rule that looks at the bytes says so: the others need the JSON.
        if (rule.jsonata.includes("$payload")) {
          return ({ topic, payload }) => expression.evaluate({}, { topic, payload: payload.toString("latin1") });
        }
        return ({ topic, payload }) => expression.evaluate(JSON.parse(payload.toString("utf8")), { topic });
      },
    },
    {
      name: "alasql 4.19.1",
      prepare: ({ alasql: rule }) => rule && prepareAlasql(rule, alasql),
    },
    {
      name: "alasql, handed the array",
      prepare: ({ alasqlPart: rule }) => rule && prepareAlasql(rule, alasql),
    },
  ];
}

function prepareAlasql(rule: AlasqlRule, alasql: Packages["alasql"]): Evaluator {
  const query = alasql.compile(rule.query);
  return ({ payload }) => rule.result(query([rule.table(JSON.parse(payload.toString("utf8")))]));
}

const manifests = fileURLToPath(new URL("../peers/sql", import.meta.url));
const home = resolve(".trestle/bench-peers/sql");

/** Installs them beside the project, by their lock file: alasql would bring 600 optional packages into it. */
function loadPackages(): Packages | string {
  if (!existsSync(join(home, "node_modules/alasql"))) {
    const npm = process.env.npm_execpath;
    if (npm === undefined) return "are installed by npm: npm run bench -- sql";
    mkdirSync(home, { recursive: true });
    for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(manifests, file), join(home, file));
    const install = ["ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"];
    const { status } = spawnSync(process.execPath, [npm, ...install], { cwd: home, stdio: "inherit" });
    if (status !== 0) return "cannot be installed by npm here";
  }
  const load = createRequire(join(home, "package.json"));
  return { jsonata: load("jsonata"), alasql: load("alasql") };
}
