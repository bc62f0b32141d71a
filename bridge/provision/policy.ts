import { basicIngestTopic, framesTopic, ingestSources } from "../../scheme/ingest.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { fillTemplate } from "../../scheme/topic-template.ts";
import { ProvisionError } from "./provision-error.ts";

/** Characters of a policy document without white space, of which a compiled one has none. */
export const maxPolicyCharacters = 2_048;

/** Policies that can be attached to one certificate. */
export const maxPolicies = 10;

const maxPolicyNameCharacters = 128;

export interface PolicyStatement {
  readonly Effect: "Allow";
  readonly Action: "iot:Connect" | "iot:Publish";
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

export interface NamedPolicy {
  readonly name: string;
  /** JSON without white space. */
  readonly document: string;
}

/** Whose policy it is: `arn:aws:iot:eu-central-1:123456789012`. */
export type ArnPrefix = `arn:${string}:iot:${string}:${string}`;

/**
 * The policies of the certificate that a bridge or relay has: connecting under its one client id, and publishing by Basic
 * Ingest to the rules of its routes and replies, on their topics. Where the scheme has a relay, also connecting under the
 * client id with `:` and anything behind it, and publishing frames. No subscription, no will, no retained message.
 *
 * `*` stands where a topic has a placeholder; it also matches slashes, as AWS has no wildcard for one level. A scheme
 * with more topics than one document holds gets several, each full before the next one begins.
 *
 * @throws {ProvisionError} `POLICY_TOO_LARGE`, `POLICY_NAME_TOO_LONG`
 * @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html
 */
export function compilePolicies(scheme: Scheme, clientId: string, prefix: ArnPrefix): readonly NamedPolicy[] {
  const documents: PolicyDocument[] = [];
  let statements: readonly PolicyStatement[] = [connect(clientArns(scheme, clientId, prefix))];
  let topics: readonly string[] = [];
  for (const topic of topicArns(scheme, prefix)) {
    const longer = document([...statements, publish([...topics, topic])]);
    if (lengthOf(longer) <= maxPolicyCharacters) {
      topics = [...topics, topic];
      continue;
    }
    // A topic takes up to 256 characters: whatever follows a full document fits into an empty one.
    documents.push(document([...statements, ...(topics.length > 0 ? [publish(topics)] : [])]));
    statements = [];
    topics = [topic];
  }
  documents.push(document([...statements, publish(topics)]));
  if (documents.length > maxPolicies) throw tooLarge(topicArns(scheme, prefix).length, documents.length);
  return documents.map((each, index) => ({ name: policyName(clientId, index), document: JSON.stringify(each) }));
}

/**
 * The name of a client's first policy, second one, and so on.
 *
 * `:` stands in client ids and not in names, `=` and `@` the other way round: no two clients share a policy.
 */
export function policyName(clientId: string, index: number): string {
  const name = clientId.replaceAll(":", "=") + (index === 0 ? "" : `@${index + 1}`);
  if (name.length <= maxPolicyNameCharacters) return name;
  const message = `the policy's name '${name}' has ${name.length} characters, the limit is ${maxPolicyNameCharacters}`;
  throw new ProvisionError("POLICY_NAME_TOO_LONG", `${message}; --client-id takes a shorter one`);
}

/** Whether the policy is one of the client's, among those that others may have attached. */
export function isPolicyOf(clientId: string, name: string): boolean {
  const own = clientId.replaceAll(":", "=");
  return name === own || (name.startsWith(`${own}@`) && /^\d+$/.test(name.slice(own.length + 1)));
}

function clientArns({ framesRuleName }: Scheme, clientId: string, prefix: ArnPrefix): string | readonly string[] {
  const first = `${prefix}:client/${clientId}`;
  return framesRuleName === undefined ? first : [first, `${first}:*`];
}

function topicArns(scheme: Scheme, prefix: ArnPrefix): readonly string[] {
  const wildcard = () => "*";
  const topics = [...ingestSources(scheme).values()].map(({ ruleName, topic }) =>
    basicIngestTopic(ruleName, fillTemplate(topic, wildcard)),
  );
  if (scheme.framesRuleName !== undefined) topics.push(framesTopic(scheme.framesRuleName));
  return topics.map((topic) => `${prefix}:topic/${topic}`);
}

/** A persistent session, and nothing else that a policy can tell apart: a will would need LastWill. */
function connect(resource: PolicyStatement["Resource"]): PolicyStatement {
  return {
    Effect: "Allow",
    Action: "iot:Connect",
    Resource: resource,
    Condition: { "ForAllValues:StringEquals": { "iot:ConnectAttributes": ["PersistentConnect"] } },
  };
}

function publish(topics: readonly string[]): PolicyStatement {
  return { Effect: "Allow", Action: "iot:Publish", Resource: topics };
}

function document(statements: readonly PolicyStatement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}

function lengthOf(policy: PolicyDocument): number {
  return JSON.stringify(policy).length;
}

function tooLarge(topics: number, policies: number): ProvisionError {
  const message =
    `${topics} topics take ${policies} policies of ${maxPolicyCharacters} characters, ` +
    `a certificate has ${maxPolicies} at most; divide the scheme, or shorten topics and names`;
  return new ProvisionError("POLICY_TOO_LARGE", message);
}
