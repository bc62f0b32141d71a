import { expect, test } from "vitest";
import { overlap, readBridgeTopic } from "./bridge-topic.ts";

test.for([
  ["x", { direction: "out", qos: 0, isQosSaid: false, local: "x", remote: "x" }],
  ["x IN 1", { direction: "in", qos: 1, isQosSaid: true }],
  ["x   both  2", { direction: "both", qos: 2 }],
  ['a/+ out 1 "" $aws/rules/r/', { local: "a/+", remote: "$aws/rules/r/a/+", isRemapped: true }],
  ["# in 1 edge/ cloud/", { local: "edge/#", remote: "cloud/#" }],
  ['"my topic/+" out 1', { local: "my topic/+", qos: 1 }],
  ['"" out 1 a b', { local: "a", remote: "b" }],
  ["$share/g/v1/# out 1", { local: "v1/#", remote: "v1/#", isShared: true, isRemapped: false }],
  ["x out # a comment", { direction: "out", isQosSaid: false }],
  ["x out 1 # a comment", { qos: 1, isRemapped: false }],
] as const)("reads 'topic %s'", ([value, expected]) => {
  expect(readBridgeTopic(value)).toMatchObject(expected);
});

test.for(["x sideways", "x out 3", '"x out 1', ""])("does not read 'topic %s'", (value) => {
  expect(readBridgeTopic(value)).toBeUndefined();
});

test.for([
  ["a/b", "a/b", true],
  ["a/+", "+/b", true],
  ["a/#", "a", true], // MQTT, not AWS IoT: # matches its parent too
  ["#", "a/b/c", true],
  ["a/+/c", "a/b", false],
  ["a/b", "a/c", false],
  ["#", "$aws/rules/r/x", false], // no wildcard at the beginning matches a topic with $
  ["$aws/#", "$aws/rules/r/x", true],
] as const)("%s and %s overlap: %s", ([one, other, expected]) => {
  expect(overlap(one, other)).toBe(expected);
  expect(overlap(other, one)).toBe(expected);
});
