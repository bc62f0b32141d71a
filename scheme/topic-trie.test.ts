import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesFilter } from "./topic-filter.ts";
import { TopicTrie } from "./topic-trie.ts";

function trieOf(filters: readonly string[]): TopicTrie<string> {
  const trie = new TopicTrie<string>();
  for (const filter of filters) trie.add(filter, filter);
  return trie;
}

test("finds every filter that selects the topic, once for each time it was added", () => {
  const trie = trieOf(["a/b", "a/+", "a/#", "#", "+/b", "a", "a/b/#", "a/b", "b/#", "+/+/+", "$aws/+"]);
  expect(trie.match("a/b").toSorted()).toEqual(["#", "+/b", "a/#", "a/+", "a/b", "a/b"]);
  expect(trie.match("a").toSorted()).toEqual(["#", "a"]); // `a/#` needs a level below `a`
  expect(trie.match("$aws/x")).toEqual(["$aws/+"]); // no wildcard on the first level
  expect(trie.match("x/y/").toSorted()).toEqual(["#", "+/+/+"]); // an empty level is a level
  expect(trie.match("constructor")).toEqual(["#"]);
});

const level = fc.constantFrom("a", "b", "", "$x", "__proto__");
const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
const filter = fc
  .tuple(
    fc.array(fc.oneof(level, fc.constant("+")), { minLength: 0, maxLength: 4 }),
    fc.constantFrom("#", "+", "a", ""),
  )
  .map(([levels, last]) => [...levels, last].join("/"));

test("finds what the matcher of each filter selects", () => {
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 20 }), topic, (filters, name) => {
      const expected = filters.filter((each) => matchesFilter(each, name)).toSorted();
      expect(trieOf(filters).match(name).toSorted()).toEqual(expected);
    }),
    { numRuns: 2000, seed: 5 },
  );
});

test("10,000 rules cost no more than one", () => {
  const trie = trieOf(Array.from({ length: 10_000 }, (_, n) => `v1/fleet${n % 100}/${n}/+/location`));
  // Counted, not timed: how many levels are looked up.
  const { get } = Map.prototype;
  let lookUps = 0;
  Map.prototype.get = function (key) {
    lookUps += 1;
    return get.call(this, key);
  };
  try {
    expect(trie.match("v1/fleet42/4242/d7/location")).toEqual(["v1/fleet42/4242/+/location"]);
  } finally {
    Map.prototype.get = get;
  }
  expect(lookUps).toBe(5);
});
