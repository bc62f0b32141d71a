import { expect, test } from "vitest";
import { isCommandId } from "./request-schemas.ts";
import { derivedId, newSeed } from "./seed.ts";

test("a seed is a UUID version 7 of its time", () => {
  const seeds = Array.from({ length: 100 }, () => newSeed(0x0190_b5d6_1b9c));
  expect(seeds.every(({ id }) => isCommandId(id) && id.startsWith("0190b5d6-1b9c-7"))).toBe(true);
  expect(new Set(seeds.map(({ id }) => id)).size).toBe(100);
});

test("what is derived from a seed is the same at every try, another for each part, and of the seed's time", () => {
  const seed = newSeed(Date.UTC(2026, 0, 1));
  const ids = Array.from({ length: 100 }, (_, index) => derivedId(seed, `d${index}`));
  expect(new Set([...ids, derivedId(seed, "d7"), derivedId({ ...seed }, "d7")]).size).toBe(100);
  expect(ids.every((id) => isCommandId(id) && id.slice(0, 13) === seed.id.slice(0, 13))).toBe(true);
  expect(derivedId(newSeed(seed.issuedAt), "d7")).not.toBe(ids[7]);
});
