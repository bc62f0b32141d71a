import { expect, test } from "vitest";
import { type SchemeInput, secret } from "../../scheme/define-scheme.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { createApiHeaders } from "./api-headers.ts";

/** `api.headers` with secrets whose values and look-ups, and a clock, are the test's. */
function setUp(headers: NonNullable<SchemeInput["api"]["headers"]>, signing: Scheme["api"]["signing"] = []) {
  const state = { now: 0, values: new Map<string, string>(), lookUps: [] as string[], stale: [] as unknown[] };
  const apiHeaders = createApiHeaders({
    headers: new Map(Object.entries(headers)),
    signing,
    now: () => state.now,
    onStale: (error) => state.stale.push(error),
    fetchSecret: async (name) => {
      state.lookUps.push(name);
      const value = state.values.get(name);
      if (value === undefined) throw new Error(`there is no secret '${name}'`);
      return value;
    },
  });
  return { state, fields: async () => (await apiHeaders()).fields, apiHeaders };
}

test("gives plain values without a look-up", async () => {
  const { state, fields, apiHeaders } = setUp({ authorization: "Basic eA==", x_tenant: "acme" });
  expect(await fields()).toEqual(["authorization", "Basic eA==", "x_tenant", "acme"]);
  expect((await apiHeaders()).overridden).toEqual(new Set(["authorization", "x-tenant"])); // as servers compare them
  expect(state.lookUps).toEqual([]);
});

test("keeps signing keys as it keeps values", async () => {
  const { state, apiHeaders } = setUp({}, [secret("acme/current"), secret("acme/next")]);
  const text = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
  state.values.set("acme/current", text(1)).set("acme/next", text(2));
  expect((await apiHeaders()).signingKeys).toEqual([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
  state.values.set("acme/next", text(3));
  state.now += 300_000;
  expect((await apiHeaders()).signingKeys).toEqual([Buffer.alloc(32, 1), Buffer.alloc(32, 3)]);
  state.values.set("acme/next", "rubbish");
  state.now += 300_000;
  expect((await apiHeaders()).signingKeys).toEqual([Buffer.alloc(32, 1), Buffer.alloc(32, 3)]);
  expect(state.stale).toMatchObject([{ message: expect.stringContaining("secret 'acme/next' is no signing secret") }]);
});

test("looks a secret up once in five minutes, however many ask", async () => {
  const { state, fields } = setUp({ "x-api-key": secret("acme/key") });
  state.values.set("acme/key", "one\n"); // as it is when written from a file
  expect(await Promise.all([fields(), fields()])).toEqual(Array(2).fill(["x-api-key", "one"]));
  state.values.set("acme/key", "two");
  state.now += 299_999;
  expect(await fields()).toEqual(["x-api-key", "one"]);
  expect(state.lookUps).toHaveLength(1);
  state.now += 1;
  expect(await Promise.all([fields(), fields()])).toEqual(Array(2).fill(["x-api-key", "two"]));
  expect(state.lookUps).toHaveLength(2);
});

test("keeps the value before while a secret cannot be looked up", async () => {
  const { state, fields } = setUp({ "x-api-key": secret("acme/key") });
  state.values.set("acme/key", "one");
  await fields();
  state.values.clear();
  state.now += 300_000;
  expect(await fields()).toEqual(["x-api-key", "one"]);
  expect(state.stale).toMatchObject([{ message: "there is no secret 'acme/key'" }]);
  state.values.set("acme/key", "two");
  state.now += 30_000;
  expect(await fields()).toEqual(["x-api-key", "two"]);
});

test("fails without any value, and asks again", async () => {
  const { state, fields } = setUp({ "x-api-key": secret("acme/key") });
  await expect(fields()).rejects.toThrow("there is no secret 'acme/key'");
  state.values.set("acme/key", "one");
  expect(await fields()).toEqual(["x-api-key", "one"]);
});

test("names a secret that is no field value, and not its text", async () => {
  const { state, fields } = setUp({ "x-api-key": secret("acme/key") });
  state.values.set("acme/key", "top\r\nsecret");
  const error: unknown = await fields().catch((caught: unknown) => caught);
  expect(error).toMatchObject({ message: expect.stringMatching(/secret 'acme\/key' cannot be that of x-api-key/) });
  expect(String(error)).not.toContain("top");
});
