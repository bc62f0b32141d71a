// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these strings are substitution templates
import { expect, test } from "vitest";
import type { ActionRule } from "./actions/action.ts";
import { readRepublishTopic } from "./actions/republish-topic.ts";
import { type RepublishingRule, refuseLoops } from "./rule-loops.ts";

/** Rules a, b, c … by their FROM, if any, and the topics that they republish on: `from > topic, topic`. */
function rulesOf(lines: readonly string[]) {
  return lines.map((line, index): RepublishingRule => {
    const [from = "", topics] = line.split("> ");
    const name = String.fromCharCode(97 + index);
    const action = { sqlVersion: "2016-03-23", variables: [] as readonly string[] } as ActionRule;
    return {
      logicalId: name.toUpperCase(),
      name,
      topicFilter: from.trim() || undefined,
      republishesOn: topics?.split(", ").map((topic) => readRepublishTopic(topic, name, action)) ?? [],
    };
  });
}

test.for([
  ["its own topic", ["up > up"], "A to A"],
  ["a level of the message", ["up/# > up/${topic(2)}"], "A to A"],
  ["a level that may become the filter's", ["up/x > up/${v}"], "A to A"],
  ["a part of a level", ["up/x-1 > up/x-${v}"], "A to A"],
  ["the message's topic", ["a/+ > ${topic()}"], "A to A"],
  ["below the message's topic, of all topics", ["a/# > ${topic()}/copy"], "A to A"],
  ["as many levels as there may be", ["a/# > a/${topic()}/end"], "A to A"],
  ["one of several topics", ["a > x, a"], "A to A"],
  ["another rule's topic, and that back", ["a > b", "b > a"], "A to B to A"],
  ["back by a third", ["a > b", "b > c", "c > a"], "A to B to C to A"],
  ["into a loop of two others", ["a > b", "b > c", "c > b"], "B to C to B"],
  ["itself by Basic Ingest", ["a > $$aws/rules/a/x"], "A to A"],
  ["to a rule without FROM, and that back", ["a > $$aws/rules/b/x", "> ${topic(1)}"], "A to B to A"],
  ["a topic of Basic Ingest on", ["a > $$aws/rules/b/a", "b > ${topic()}"], "A to B to A"],
] as const)("republishing %s is refused", ([, rules, way]) => {
  expect(() => refuseLoops(rulesOf(rules))).toThrow(
    expect.objectContaining({ code: "RULE_LOOP", message: expect.stringMatching(new RegExp(`: ${way}$`)) }),
  );
});

test.for([
  ["another topic", ["up/# > down/${topic(2)}"]],
  ["below the message's topic, of topics with so many levels", ["a/+ > ${topic()}/copy"]],
  ["what `#` does not select", ["a/# > a"]],
  ["other literal levels", ["up/+/in > up/${v}/out"]],
  ["to several rules, none of which goes back", ["a > b, c", "b > c", "c > d"]],
  ["by Basic Ingest to a rule whose FROM has no say", ["a > $$aws/rules/b/x", "a"]],
  ["below its own topic, as AWS's example does", ["my/iot/topic > ${topic()}/republish"]],
] as const)("republishing %s is no loop", ([, rules]) => {
  expect(() => refuseLoops(rulesOf(rules))).not.toThrow();
});
