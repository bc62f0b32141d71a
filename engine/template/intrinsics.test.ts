// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation's, not JavaScript's
import { expect, test } from "vitest";
import { resolveIntrinsics } from "./intrinsics.ts";

const references = {
  ref: (name: string) =>
    new Map([
      ["Queue", "https://sqs/orders"],
      ["AWS::Region", "us-east-1"],
    ]).get(name),
  attribute: (logicalId: string, name: string) =>
    new Map([
      ["Queue.Arn", "arn:orders"],
      ["Nested.Outputs.Url", "http://nested"],
    ]).get(`${logicalId}.${name}`),
};

test.for([
  ["text", "text"],
  [7, 7],
  [null, null],
  [{ a: [{ b: { Ref: "Queue" } }] }, { a: [{ b: "https://sqs/orders" }] }],
  [{ Ref: "Queue" }, "https://sqs/orders"],
  [{ Ref: "AWS::Region" }, "us-east-1"],
  [
    { Ref: "Queue", Other: 1 },
    { Ref: "Queue", Other: 1 },
  ], // a function is the only key of its object
  [{ "Fn::GetAtt": ["Queue", "Arn"] }, "arn:orders"],
  [{ "Fn::GetAtt": "Queue.Arn" }, "arn:orders"],
  [{ "Fn::GetAtt": ["Nested", "Outputs.Url"] }, "http://nested"], // the attribute's own dots
  [{ "Fn::GetAtt": "Nested.Outputs.Url" }, "http://nested"],
  [{ "Fn::Join": ["", ["a-", { Ref: "AWS::Region" }, 1]] }, "a-us-east-11"],
  [{ "Fn::Join": ["/", { "Fn::Join": ["", []] }] }, undefined], // no list to join
  [{ "Fn::Sub": "${AWS::Region}/${Queue}/${Queue.Arn}" }, "us-east-1/https://sqs/orders/arn:orders"],
  [{ "Fn::Sub": "${!x} and $y and {z}" }, "${x} and $y and {z}"], // as it stands
  [{ "Fn::Sub": ["${x}", { x: "1" }] }, undefined], // the form with a map
  [{ "Fn::Sub": "${Nothing}" }, undefined],
  [{ "Fn::Sub": "${Queue.Nothing}" }, undefined],
  [{ "Fn::Split": [":", { "Fn::GetAtt": ["Queue", "Arn"] }] }, ["arn", "orders"]],
  [{ "Fn::Split": [":", 7] }, undefined],
  [{ "Fn::Select": [1, { "Fn::Split": [":", { "Fn::GetAtt": ["Queue", "Arn"] }] }] }, "orders"],
  [{ "Fn::Select": ["0", ["a", { Ref: "Nobody" }]] }, undefined], // all of the list is resolved, as on AWS
  [{ "Fn::Select": [2, ["a", "b"]] }, undefined], // beyond the end
  [{ Ref: "Nothing" }, undefined],
  [{ Ref: "AWS::NoValue" }, undefined],
  [{ Ref: ["Queue"] }, undefined],
  [{ "Fn::GetAtt": ["Queue", "Nothing"] }, undefined],
  [{ "Fn::GetAtt": [1] }, undefined],
] as const)("%j is %j", ([value, resolved]) => {
  const resolve = () => resolveIntrinsics(value, references, "Rule");
  if (resolved !== undefined) return expect(resolve()).toEqual(resolved);
  const message = expect.stringMatching(/^Rule has .* resolves to nothing$/);
  return expect(resolve).toThrow(expect.objectContaining({ code: "ERR_REFERENCE", message }));
});

test.for(["Fn::If", "Fn::ImportValue", "Fn::constructor"])("%s is refused", (name) => {
  expect(() => resolveIntrinsics({ a: { [name]: [] } }, references, "Rule")).toThrow(
    expect.objectContaining({ code: "ERR_INTRINSIC_UNSUPPORTED", message: `Rule uses ${name}, which is not resolved` }),
  );
});
