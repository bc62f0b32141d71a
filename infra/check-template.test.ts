import { expect, test } from "vitest";
import { type CloudFormationTemplate, checkTemplate } from "./check-template.ts";

function rule(payload: Readonly<Record<string, unknown>>): CloudFormationTemplate["Resources"][string] {
  return { Type: "AWS::IoT::TopicRule", Properties: { TopicRulePayload: payload } };
}

const queue = { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeout: 90, SqsManagedSseEnabled: true } };
const sqs = { QueueUrl: { Ref: "Queue" }, RoleArn: { "Fn::GetAtt": ["Role", "Arn"] }, UseBase64: false };
const role = { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: { Statement: [] } } };

test("accepts what CloudFormation does", () => {
  const Resources = { Queue: queue, Role: role, Rule: rule({ Sql: "SELECT * FROM 'a'", Actions: [{ Sqs: sqs }] }) };
  expect(checkTemplate({ Resources })).toEqual([]);
});

test.for([
  [{ Type: "AWS::IoT::Rule" }, "X: there is no resource type AWS::IoT::Rule"],
  [{ ...queue, Properties: { Visibility: 1 } }, "X.Visibility: there is no such property"],
  [{ ...queue, Properties: { VisibilityTimeout: "90" } }, 'X.VisibilityTimeout: "90" is no integer'],
  [{ ...queue, Properties: { VisibilityTimeout: 1.5 } }, "X.VisibilityTimeout: 1.5 is no integer"],
  [{ ...queue, Properties: { SqsManagedSseEnabled: "yes" } }, 'X.SqsManagedSseEnabled: "yes" is no boolean'],
  [{ ...queue, Properties: { RedrivePolicy: 5 } }, "X.RedrivePolicy: 5 is no json"],
  [{ Type: "AWS::IoT::TopicRule" }, "X.TopicRulePayload: is required"],
  [rule({ Sql: "SELECT * FROM 'a'" }), "X.TopicRulePayload.Actions: is required"],
  [rule({ Sql: "", Actions: {} }), "X.TopicRulePayload.Actions: is not a list"],
  [
    rule({ Sql: "", Actions: [{ Sqs: { ...sqs, QueueURL: "" } }] }),
    "X.TopicRulePayload.Actions[0].Sqs.QueueURL: there is no such property",
  ],
  [{ Type: "AWS::Logs::LogGroup", Properties: { RetentionInDays: 31 } }, /^X.RetentionInDays: 31 is none of 1, 3, 5/],
  [{ ...queue, Properties: { QueueName: { Ref: "Name" } } }, "X.QueueName: refers to Name, which does not exist"],
  [
    { ...queue, Properties: { QueueName: { "Fn::GetAtt": ["Role", "Name"] } } },
    "X.QueueName: AWS::IAM::Role has no attribute Name",
  ],
  [{ ...queue, DependsOn: ["Nobody"] }, "X: depends on Nobody, which does not exist"],
] as const)("finds the fault of %j", ([resource, fault]) => {
  const faults = checkTemplate({ Resources: { X: resource, Queue: queue, Role: role } });
  expect(faults).toEqual([typeof fault === "string" ? fault : expect.stringMatching(fault)]);
});
