import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Template } from "aws-cdk-lib/assertions";
import { expect } from "vitest";
import cdk from "../cdk.json" with { type: "json" };
import { defineScheme, type SchemeInput } from "../scheme/define-scheme.ts";
import { TrestleStack } from "./stack.ts";
import { createApp } from "./synthesize.ts";

/** A scheme for tests, with routes and nothing beside. */
export const input: SchemeInput = {
  name: "acme",
  stage: "test",
  api: { url: "https://api.example.com/base", timeoutMs: 20_000, maxConcurrency: 50 },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    alarm: { topic: "v1/drivers/{deviceId}/alarm", qos: 1, where: "level > 3" },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
};

const folder = mkdtempSync(join(tmpdir(), "trestle-"));
// Of the process and not of a test file: several of them use it.
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The template of that scheme with changes; its bundle, which takes most of the time, is another test's. */
export function templateOf(change: Partial<SchemeInput> = {}): Template {
  const outdir = mkdtempSync(join(folder, "cdk.out-"));
  const app = createApp({ outdir, context: { ...cdk.context, "aws:cdk:bundling-stacks": [] } });
  return Template.fromStack(
    new TrestleStack(app, { scheme: defineScheme({ ...input, ...change }), configFile: "trestle.config.ts" }),
  );
}

/** Logical ID and properties of the one resource of a type whose logical ID matches. */
export function findIn(
  from: Template,
  type: string,
  idPattern: RegExp,
): { readonly id: string; readonly properties: never } {
  const found = Object.entries(from.findResources(type)).filter(([id]) => idPattern.test(id));
  expect(found.map(([id]) => id)).toHaveLength(1);
  const [id = "", resource] = found[0] ?? [];
  return { id, properties: resource?.Properties as never };
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Effect: string;
}

/** Who may do what with what: every statement of roles and policies, as text. */
export function grants(from: Template): readonly string[] {
  const roles = Object.entries(from.findResources("AWS::IAM::Role")).flatMap(([id, { Properties }]) => {
    expect(Properties).not.toHaveProperty("ManagedPolicyArns");
    return (Properties.Policies ?? []).map(({ PolicyDocument }: { PolicyDocument: unknown }) => [id, PolicyDocument]);
  });
  const policies = Object.values(from.findResources("AWS::IAM::Policy")).map(({ Properties }) => [
    Properties.Roles[0].Ref,
    Properties.PolicyDocument,
  ]);
  return [...roles, ...policies]
    .flatMap(([role, { Statement }]: [string, { Statement: readonly Statement[] }]) =>
      Statement.map(({ Effect, Action, Resource }) => `${role}: ${Effect} ${[Action].flat()} on ${readable(Resource)}`),
    )
    .map((line) => line.replace(/[0-9A-F]{8}\b/g, "")) // the hash of a logical ID
    .sort();
}

function readable(resource: unknown): string {
  return JSON.stringify(resource).replace(/\{"Fn::GetAtt":\["(\w+)","Arn"\]\}/g, "$1");
}
