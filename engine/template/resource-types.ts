import type { Identity } from "./plan.ts";

/** The account and Region that names are made for. Nothing is called there; ARNs need them. */
export const place = { partition: "aws", region: "us-east-1", accountId: "000000000000", urlSuffix: "amazonaws.com" };

/** Properties that name a resource; where they are absent CloudFormation makes a name of the stack and logical ID. */
export const nameProperties: Readonly<Record<string, string>> = {
  "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
  "AWS::IAM::Role": "RoleName",
  "AWS::IoT::TopicRule": "RuleName",
  "AWS::Lambda::Function": "FunctionName",
  "AWS::Logs::LogGroup": "LogGroupName",
  "AWS::SQS::Queue": "QueueName",
};

/** Resource types that are deployed and have nothing to do on one machine, each with the reason. */
export const typesWithoutEffect: Readonly<Record<string, string>> = {
  "AWS::CDK::Metadata": "tells AWS which constructs are in use",
  "AWS::IAM::ManagedPolicy": "nothing here asks IAM",
  "AWS::IAM::Policy": "nothing here asks IAM",
  "AWS::IAM::Role": "nothing here asks IAM",
  "AWS::Logs::LogGroup": "functions print to the engine's log",
  "AWS::SQS::QueuePolicy": "the queues are reached from this process only",
};

const arn = (service: string, resource: string) =>
  `arn:${place.partition}:${service}:${place.region}:${place.accountId}:${resource}`;

/** What `Ref` and `Fn::GetAtt` give, by type. @see https://docs.aws.amazon.com/AWSCloudFormation, "Return values" */
const identities: Readonly<Record<string, (name: string) => Omit<Identity, "name">>> = {
  "AWS::IAM::Role": (name) => ({
    ref: name,
    attributes: { Arn: `arn:${place.partition}:iam::${place.accountId}:role/${name}` },
  }),
  "AWS::IoT::TopicRule": (name) => ({ ref: name, attributes: { Arn: arn("iot", `rule/${name}`) } }),
  "AWS::Lambda::Function": (name) => ({ ref: name, attributes: { Arn: arn("lambda", `function:${name}`) } }),
  "AWS::Logs::LogGroup": (name) => ({ ref: name, attributes: { Arn: arn("logs", `log-group:${name}:*`) } }),
  "AWS::SQS::Queue": (name) => {
    const url = `https://sqs.${place.region}.${place.urlSuffix}/${place.accountId}/${name}`;
    return { ref: url, attributes: { Arn: arn("sqs", name), QueueName: name, QueueUrl: url } };
  },
};

export function identify(type: string, name: string): Identity {
  return { name, ...(identities[type]?.(name) ?? { ref: name, attributes: {} }) };
}
