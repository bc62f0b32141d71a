import { ArnFormat, Stack } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnTopicRule } from "aws-cdk-lib/aws-iot";
import type { IFunction, Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { type IngestSource, ingestSqlVersion, ingestStatement } from "../scheme/ingest.ts";

/** What a topic rule selects. */
export interface Selection {
  readonly ruleName: string;
  readonly statement: string;
  readonly description: string;
}

/** What the topic rule of a route, or of the replies, selects. */
export function selectionOf(source: IngestSource, description: string): Selection {
  const { ruleName, topic } = source;
  return { ruleName, statement: ingestStatement(source), description: `${description}: ${topic.source}` };
}

export interface TopicRuleProps {
  readonly selection: Selection;
  readonly action: CfnTopicRule.ActionProperty;
  readonly errorAction: CfnTopicRule.ActionProperty;
}

export class TopicRule extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, { selection, action, errorAction }: TopicRuleProps) {
    super(scope, id);
    const rule = new CfnTopicRule(this, "Resource", {
      ruleName: selection.ruleName,
      topicRulePayload: {
        description: selection.description,
        sql: selection.statement,
        awsIotSqlVersion: ingestSqlVersion,
        actions: [action],
        errorAction,
      },
    });
    this.arn = rule.attrArn;
  }
}

/** Hands the message to a function, asynchronously: AWS IoT Core never hears how that went. */
export function lambdaAction(target: IFunction): CfnTopicRule.ActionProperty {
  return { lambda: { functionArn: target.functionArn } };
}

/** Lets a topic rule, and nothing else of AWS IoT Core, invoke a function. */
export function allowRule(target: LambdaFunction, id: string, rule: TopicRule): void {
  target.addPermission(id, {
    principal: new ServicePrincipal("iot.amazonaws.com"),
    sourceArn: rule.arn,
    sourceAccount: Stack.of(rule).account,
  });
}

/** Sends to a queue what the rule's statement selects. The payload in it is base64 already. */
export function sqsAction(queue: IQueue, role: Role): CfnTopicRule.ActionProperty {
  return { sqs: { queueUrl: queue.queueUrl, roleArn: role.roleArn, useBase64: false } };
}

/**
 * A role by which topic rules send to one queue.
 *
 * Its trust names the account's AWS IoT as a whole, which is the form that AWS documents.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/cross-service-confused-deputy-prevention.html
 */
export function sendingRole(scope: Construct, id: string, queue: IQueue): Role {
  const stack = Stack.of(scope);
  const anyRule = stack.formatArn({ service: "iot", resource: "*", arnFormat: ArnFormat.NO_RESOURCE_NAME });
  const send = new PolicyStatement({ actions: ["sqs:SendMessage"], resources: [queue.queueArn] });
  return new Role(scope, id, {
    assumedBy: new ServicePrincipal("iot.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": stack.account }, ArnLike: { "aws:SourceArn": anyRule } },
    }),
    // Part of the role, so that no rule is there before its role may send.
    inlinePolicies: { Send: new PolicyDocument({ statements: [send] }) },
  });
}
