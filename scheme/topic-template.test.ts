import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesFilter } from "./topic-filter.ts";
import { fillTemplate, matchTemplate, overlaps, parseTopicTemplate, type TopicTemplate } from "./topic-template.ts";

function template(source: string): TopicTemplate {
  const parsed = parseTopicTemplate(source);
  if ("code" in parsed) throw new Error(parsed.message);
  return parsed;
}

test("a template has its levels and the filter that selects its topics", () => {
  expect(template("v1/{deviceId}/~a.b_c:@-")).toEqual({
    source: "v1/{deviceId}/~a.b_c:@-",
    levels: [
      { kind: "literal", text: "v1" },
      { kind: "placeholder", name: "deviceId" },
      { kind: "literal", text: "~a.b_c:@-" },
    ],
    filter: "v1/+/~a.b_c:@-",
  });
});

test.for([
  ["v1/d42/x", { deviceId: "d42", kind: "x" }],
  ["v1//", { deviceId: "", kind: "" }], // an empty level is a level
  ["v1/constructor/__proto__", { deviceId: "constructor", kind: "__proto__" }],
  ["V1/d42/x", undefined], // case counts
  ["v1/d42", undefined],
  ["v1/d42/x/y", undefined],
  ["/v1/d42/x", undefined], // a leading slash is another topic
] as const)("the topic %s has the values %j", ([topic, values]) => {
  const found = matchTemplate(template("v1/{deviceId}/{kind}"), topic);
  expect(found && [...found]).toEqual(values && Object.entries(values));
});

test.for([
  ["a/{deviceId}", "a/{deviceId}", true],
  ["a/{deviceId}", "a/b", true],
  ["a/{deviceId}", "{deviceId}/b", true],
  ["a/{deviceId}", "a/{deviceId}/c", false],
  ["a/{deviceId}/c", "a/{deviceId}/d", false],
  ["a/b", "a/B", false],
] as const)("%s and %s overlap: %s", ([a, b, expected]) => {
  expect(overlaps(template(a), template(b))).toBe(expected);
  expect(overlaps(template(b), template(a))).toBe(expected);
});

test("a template is filled level by level", () => {
  expect(fillTemplate(template("v1/{deviceId}/{kind}"), (name) => (name === "deviceId" ? "%u" : "+"))).toBe("v1/%u/+");
});

const level = fc.constantFrom("a", "b", "{deviceId}", "{x}", "{y}");
const templates = fc
  .uniqueArray(level, { minLength: 1, maxLength: 4, selector: (text) => (text.startsWith("{") ? text : Symbol()) })
  .map((levels) => template(levels.join("/")));

test("two templates overlap if and only if some topic is both's", () => {
  const topics = ["a", "b", "c"].flatMap((one) => [one, ...["a", "b", "c"].map((two) => `${one}/${two}`)]);
  const all = [...topics, ...topics.flatMap((one) => topics.map((two) => `${one}/${two}`))];
  fc.assert(
    fc.property(templates, templates, (a, b) => {
      const isShared = all.some((topic) => matchTemplate(a, topic) && matchTemplate(b, topic));
      return isShared === overlaps(a, b);
    }),
  );
});

test("a topic is a template's if and only if its filter selects it, and filling gives it back", () => {
  const topics = fc.array(fc.constantFrom("a", "b", "c", ""), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(templates, topics, (of, levels) => {
      const topic = levels.join("/");
      const values = matchTemplate(of, topic);
      expect(matchesFilter(of.filter, topic)).toBe(values !== undefined);
      if (values !== undefined) expect(fillTemplate(of, (name) => values.get(name) ?? "?")).toBe(topic);
    }),
  );
});
