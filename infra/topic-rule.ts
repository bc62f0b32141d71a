import { ArnFormat, Stack } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnTopicRule } from "aws-cdk-lib/aws-iot";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { type IngestSource, ingestSqlVersion, ingestStatement } from "../scheme/ingest.ts";

export interface TopicRuleProps {
  readonly source: IngestSource;
  readonly description: string;
  readonly action: CfnTopicRule.ActionProperty;
  readonly errorAction: CfnTopicRule.ActionProperty;
}

/** The topic rule of a route, or of the replies. */
export class TopicRule extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, { source, description, action, errorAction }: TopicRuleProps) {
    super(scope, id);
    const rule = new CfnTopicRule(this, "Resource", {
      ruleName: source.ruleName,
      topicRulePayload: {
        description: `${description}: ${source.topic.source}`,
        sql: ingestStatement(source),
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
