import { createHash } from "node:crypto";
import type { Identity } from "./plan.ts";

/** The account and Region that names are made for. Nothing is called there; ARNs need them. */
export const place = { partition: "aws", region: "us-east-1", accountId: "000000000000", urlSuffix: "amazonaws.com" };

/** Properties that name a resource; where they are absent CloudFormation makes a name of the stack and logical ID. */
export const nameProperties: Readonly<Record<string, string>> = {
  "AWS::ApiGatewayV2::Stage": "StageName",
  "AWS::CloudWatch::Alarm": "AlarmName",
  "AWS::DynamoDB::Table": "TableName",
  "AWS::Events::Rule": "Name",
  "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
  "AWS::IAM::Role": "RoleName",
  "AWS::IoT::TopicRule": "RuleName",
  "AWS::Lambda::Function": "FunctionName",
  "AWS::Logs::LogGroup": "LogGroupName",
  "AWS::SNS::Topic": "TopicName",
  "AWS::SQS::Queue": "QueueName",
};

/** Resource types that are deployed and have nothing to do on one machine, each with the reason. */
export const typesWithoutEffect: Readonly<Record<string, string>> = {
  "AWS::CDK::Metadata": "tells AWS which constructs are in use",
  "AWS::CloudWatch::Alarm": "alarms are lines of the log here",
  "AWS::EC2::SecurityGroup": "functions have the machine's network",
  "AWS::IAM::ManagedPolicy": "nothing here asks IAM",
  "AWS::IAM::Policy": "nothing here asks IAM",
  "AWS::IAM::Role": "nothing here asks IAM",
  "AWS::Logs::LogGroup": "functions print to the engine's log",
  "AWS::SNS::Subscription": "alarms are lines of the log here",
  "AWS::SNS::Topic": "alarms are lines of the log here",
  "AWS::SNS::TopicPolicy": "alarms are lines of the log here",
  "AWS::SQS::QueuePolicy": "the queues are reached from this process only",
};

const arn = (service: string, resource: string) =>
  `arn:${place.partition}:${service}:${place.region}:${place.accountId}:${resource}`;

/** What `Ref` and `Fn::GetAtt` give, by type. @see https://docs.aws.amazon.com/AWSCloudFormation, "Return values" */
const identities: Readonly<Record<string, (name: string) => Omit<Identity, "name">>> = {
  "AWS::ApiGatewayV2::Api": (name) => {
    const id = shortIdOf(name);
    const ApiEndpoint = `https://${httpApiDomain(id)}`;
    return { ref: id, attributes: { ApiEndpoint, ApiId: id } };
  },
  "AWS::ApiGatewayV2::Authorizer": (name) => ({ ref: shortIdOf(name), attributes: { AuthorizerId: shortIdOf(name) } }),
  "AWS::ApiGatewayV2::Integration": (name) => ({
    ref: shortIdOf(name),
    attributes: { IntegrationId: shortIdOf(name) },
  }),
  "AWS::ApiGatewayV2::Route": (name) => ({ ref: shortIdOf(name), attributes: { RouteId: shortIdOf(name) } }),
  "AWS::CloudWatch::Alarm": (name) => ({ ref: name, attributes: { Arn: arn("cloudwatch", `alarm:${name}`) } }),
  "AWS::DynamoDB::Table": (name) => ({ ref: name, attributes: { Arn: arn("dynamodb", `table/${name}`) } }),
  "AWS::EC2::SecurityGroup": (name) => {
    const id = `sg-${uuidOf(name).slice(0, 8)}`;
    return { ref: id, attributes: { GroupId: id, Id: id } };
  },
  "AWS::Events::Rule": (name) => ({ ref: name, attributes: { Arn: arn("events", `rule/${name}`) } }),
  "AWS::IAM::Role": (name) => ({
    ref: name,
    attributes: { Arn: `arn:${place.partition}:iam::${place.accountId}:role/${name}` },
  }),
  "AWS::IoT::TopicRule": (name) => ({ ref: name, attributes: { Arn: arn("iot", `rule/${name}`) } }),
  "AWS::Lambda::EventSourceMapping": (name) => {
    const id = uuidOf(name);
    return { ref: id, attributes: { EventSourceMappingArn: arn("lambda", `event-source-mapping:${id}`), Id: id } };
  },
  "AWS::Lambda::Function": (name) => ({ ref: name, attributes: { Arn: arn("lambda", `function:${name}`) } }),
  "AWS::Logs::LogGroup": (name) => ({ ref: name, attributes: { Arn: arn("logs", `log-group:${name}:*`) } }),
  "AWS::SNS::Topic": (name) => ({ ref: arn("sns", name), attributes: { TopicArn: arn("sns", name), TopicName: name } }),
  "AWS::SQS::Queue": (name) => {
    const url = `https://sqs.${place.region}.${place.urlSuffix}/${place.accountId}/${name}`;
    return { ref: url, attributes: { Arn: arn("sqs", name), QueueName: name, QueueUrl: url } };
  },
};

export function identify(type: string, name: string): Identity {
  return { name, ...(identities[type]?.(name) ?? { ref: name, attributes: {} }) };
}

/** Where an HTTP API is on AWS. */
export function httpApiDomain(id: string): string {
  return `${id}.execute-api.${place.region}.${place.urlSuffix}`;
}

/** As API Gateway's ids are, and always the same for a name. */
function shortIdOf(name: string): string {
  return BigInt(`0x${createHash("sha256").update(name).digest("hex")}`)
    .toString(36)
    .slice(0, 10);
}

/** Always the same for a name, as a deployed resource keeps its UUID: RFC 9562 §5.8, the hash in place of chance. */
function uuidOf(name: string): string {
  const [, first, second, third, fourth, last] =
    /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/.exec(createHash("sha256").update(name).digest("hex")) ?? [];
  return `${first}-${second}-8${third}-8${fourth}-${last}`;
}
