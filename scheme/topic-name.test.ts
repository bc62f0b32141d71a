import { expect, test } from "vitest";
import { badInputs } from "./fixtures/bad-inputs.ts";
import { MessageError } from "./message-error.ts";
import { checkTopicName } from "./topic-name.ts";

function outcome(topic: string): string {
  try {
    checkTopicName(topic);
    return "deliver";
  } catch (error) {
    if (error instanceof MessageError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

test.for(badInputs("mqtt.topic").filter(({ expect: { code } }) => code?.startsWith("TOPIC_TOO_")))(
  "$id is refused as the list says",
  ({ input: { utf8, prefix = "", repeat = "", times = 0 }, expect: { code } }) => {
    const topic = typeof utf8 === "string" ? utf8 : `${prefix}${String(repeat).repeat(Number(times))}`;
    expect(outcome(topic)).toMatch(new RegExp(`^${code}: `));
  },
);

test.for([
  ["a/1/2/3/4/5/6/7", "deliver"],
  ["a/1/2/3/4/5/6/7/", 'TOPIC_TOO_DEEP: "a/1/2/3/4/5/6/7/" has 8 slashes, the limit is 7'],
  ["t".repeat(256), "deliver"],
  ["t".repeat(257), "TOPIC_TOO_LONG: the topic has 257 bytes of UTF-8, the limit is 256"],
  ["é".repeat(128), "deliver"],
  [`é${"t".repeat(255)}`, "TOPIC_TOO_LONG: the topic has 257 bytes of UTF-8, the limit is 256"],
  ["\u{1f600}".repeat(64), "deliver"],
  ["\u{1f600}".repeat(65), "TOPIC_TOO_LONG: the topic has 260 bytes of UTF-8, the limit is 256"],
  ["\n/1/2/3/4/5/6/7/8", String.raw`TOPIC_TOO_DEEP: "\n/1/2/3/4/5/6/7/8" has 8 slashes, the limit is 7`],
] as const)("the topic %j: %s", ([topic, expected]) => {
  expect(outcome(topic)).toBe(expected);
});
