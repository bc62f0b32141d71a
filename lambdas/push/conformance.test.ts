import { expect, test } from "vitest";
import { type BadInput, badInputs } from "../../scheme/fixtures/bad-inputs.ts";
import { pathOf, startPush, type TestRequest } from "./testing.ts";

const cases = badInputs("push.request");

/** Cases that never reach the function, and what meets them instead. */
const unseen = new Map([
  ["push-32", "the listener: engine/services/http-api.test.ts"],
  ["push-33", "the listener: engine/services/http-api.test.ts"],
  ["push-34", "the gateway's throttling: engine/services/http-api.test.ts"],
]);

/** Cases that say what a device has in the end, at a real broker: real-broker.test.ts. */
const atBroker = new Set(["push-30", "push-36", "push-37", "push-38"]);

/** Cases that are tests of their own, below. */
const apart = new Set(["push-22", "push-29"]);

/** The request that a case describes. */
function requestOf({ id, input }: BadInput): TestRequest {
  const { method, path, deviceId, deviceIds, headers, rawBody, body, expiresIn } = input;
  const sent = { headers: (headers ?? {}) as Record<string, string> };
  if (method !== undefined) return { ...sent, method: String(method), path: pathOf("publish") };
  if (path !== undefined) return { ...sent, path: String(path), body: {} };
  if (deviceIds !== undefined)
    return { ...sent, path: pathOf("sendCommands"), body: { deviceIds: expand(deviceIds), ...Object(body) } };
  if (deviceId === undefined) throw new Error(`${id} is of no kind that this test knows: ${JSON.stringify(input)}`);
  const request = { ...sent, path: pathOf("sendCommand", String(deviceId)) };
  if (rawBody !== undefined) return { ...request, body: rawBody };
  const content = expand(body);
  if (typeof content === "string") return { ...request, body: JSON.stringify(content) };
  return { ...request, body: { ...Object(content), expiresIn } };
}

/** What is written as a text and how often: a long text, or where a list is wanted that many texts. */
function expand(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("repeat" in value) || !("times" in value)) return value;
  const { repeat, times } = value as { repeat: string; times: number };
  return "note" in value ? Array.from({ length: times }, () => repeat) : repeat.repeat(times);
}

const byId = (id: string): BadInput => {
  const found = cases.find((one) => one.id === id);
  if (found === undefined) throw new Error(`there is no case ${id}`);
  return found;
};

const refused = cases.filter(({ id }) => ![unseen, atBroker, apart].some((others) => others.has(id)));

test("every case is run or listed", () => {
  const ids = cases.map(({ id }) => id);
  expect(ids).toHaveLength(29);
  expect([...unseen.keys(), ...atBroker, ...apart].filter((id) => !ids.includes(id))).toEqual([]);
  expect(refused).toHaveLength(20);
});

test.for(refused)("$id: $expect.http $expect.code", async (badInput) => {
  const { ask, broker } = await startPush();
  const { status, json, headers } = await ask(requestOf(badInput));
  const { code, outcome } = badInput.expect;
  expect([outcome, status, json.code]).toEqual(["reject", badInput.expect.http, code]);
  if (status === 405) expect(headers.allow).toBe("POST");
  expect(json.detail).toMatch(/^[ -~–…]{1,400}$/);
  expect(broker.published).toEqual([]);
});

test("push-22: the second request only", async () => {
  const { ask, broker } = await startPush();
  const badInput = byId("push-22");
  const { headers, body } = badInput.input.then as { headers: Record<string, string>; body: unknown };
  const first = requestOf(badInput);
  expect((await ask(first)).status).toBe(202);
  const second = await ask({ ...first, headers, body });
  expect([second.status, second.json.code]).toEqual([badInput.expect.http, badInput.expect.code]);
  expect(broker.published).toHaveLength(1);
});

test("push-29: each device has its own outcome", async () => {
  const { ask, broker } = await startPush();
  const badInput = byId("push-29");
  const { status, json } = await ask(requestOf(badInput));
  expect(status).toBe(badInput.expect.http);
  expect(json.outcomes).toMatchObject([{ status: 202 }, { problem: { code: badInput.expect.code } }, { status: 202 }]);
  expect([...broker.retained.keys()].toSorted()).toEqual(["commands/d1", "commands/d2"]);
});
