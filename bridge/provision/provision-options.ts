import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { defaultConfigFile } from "../../scheme/load-scheme.ts";
import { UsageError } from "../usage-error.ts";

export const provisionHelp = `Usage: npm run bridge -- provision --out DIR | --secret NAME [options]
       npm run bridge -- provision rotate [--finish] --out DIR | --secret NAME [options]

Makes a certificate in AWS IoT Core, and policies that let it do what a bridge of this topic scheme does: connect
under one client id, publish to the rules of the routes and replies. Where the scheme says uplink: "relay" they let it do
what a relay does: also connect as ID:2, ID:3 and so on, and publish frames. It changes what differs, and nothing else:
run it again after a change of the scheme, and after an interruption. A policy takes up to eight minutes to be in force.

  rotate            put a new certificate beside the old one; both are valid
  rotate --finish   deactivate and delete the old one, when bridge or relay has been restarted with the new one

  --out DIR         folder for credentials.json, bridge.pem, bridge.key and amazon-root-ca.pem; only their owner reads
                    them, who has to be the user that Mosquitto, or the relay, runs as
  --secret NAME     secret of Secrets Manager instead, with what credentials.json holds
  --config FILE     topic scheme, ${defaultConfigFile} by default
  --client-id ID    <name>-<stage>-edge by default; every broker needs its own, and none may
                    end in : and a number where there is a relay
  --region NAME     AWS region, as AWS's tools find it by default
  --dry-run         make the calls that only read, and print the others

Credentials are those that AWS's own tools would use. They need iot:DescribeEndpoint, CreateKeysAndCertificate,
DescribeCertificate, UpdateCertificate, DeleteCertificate, GetPolicy, CreatePolicy, CreatePolicyVersion,
ListPolicyVersions, DeletePolicyVersion, AttachPolicy, DetachPolicy, ListAttachedPolicies, ListTargetsForPolicy; with
--secret secretsmanager:GetSecretValue, CreateSecret, PutSecretValue.`;

/** Where the bridge's credentials are kept. */
export type Place =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "secret"; readonly name: string };

export type Verb = "provision" | "rotate" | "finish";

export interface ProvisionCommandOptions {
  readonly verb: Verb;
  readonly place: Place;
  readonly configFile: string;
  readonly clientId: string | undefined;
  readonly region: string | undefined;
  readonly isDryRun: boolean;
}

/** Reads the command line, undefined where it asks for help. @throws {UsageError} */
export function readProvisionOptions(args: readonly string[]): ProvisionCommandOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  return {
    verb: readVerb(positionals, values.finish),
    place: readPlace(values.out, values.secret),
    configFile: values.config,
    clientId: values["client-id"],
    region: values.region,
    isDryRun: values["dry-run"],
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        out: text,
        secret: text,
        config: { ...text, default: defaultConfigFile },
        "client-id": text,
        region: text,
        finish: flag,
        "dry-run": flag,
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function readVerb([verb, ...more]: readonly string[], isFinish: boolean): Verb {
  if ((verb !== undefined && verb !== "rotate") || more.length > 0) {
    throw new UsageError(`provision takes nothing but 'rotate', not '${[verb, ...more].join(" ")}'`);
  }
  if (verb === "rotate") return isFinish ? "finish" : "rotate";
  if (isFinish) throw new UsageError("--finish ends a rotation: provision rotate --finish");
  return "provision";
}

function readPlace(out: string | undefined, secret: string | undefined): Place {
  if (out !== undefined && secret === undefined) return { kind: "folder", path: resolve(out) };
  if (out === undefined && secret !== undefined) return { kind: "secret", name: secret };
  throw new UsageError("where to? Give --out DIR or --secret NAME, one of them");
}
