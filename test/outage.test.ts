import { describe, expect, test } from "vitest";
import { checkLedger } from "../engine/services/ledger.ts";
import { defineScheme } from "../scheme/define-scheme.ts";
import { startScriptedApi } from "./support/scripted-api.ts";
import { startVirtualWay } from "./support/virtual-way.ts";

const scheme = defineScheme({
  name: "outage",
  api: { url: "https://api.example.com", timeoutMs: 10_000 },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
});

const minute = 60_000;
const hour = 60 * minute;

/** A virtual clock's way to an API that answers as the test says. */
async function setUp(answer: (deviceId: string) => number, tickMs = 5 * minute) {
  const api = await startScriptedApi();
  api.answer = ({ headers }) => answer(String(headers["x-device-id"]));
  const way = await startVirtualWay({ scheme, apiUrl: api.url, tickMs });
  /** Requests of a message by its key, each when it came. */
  const attemptsAt = new Map<string, number[]>();
  api.onRequest = ({ headers }) => {
    const key = String(headers["idempotency-key"]);
    attemptsAt.set(key, [...(attemptsAt.get(key) ?? []), way.now()]);
  };
  return { api, way, attemptsAt };
}

// Thousands of invocations: on a machine that is busy with other things they take longer than most tests are given.
describe("on a clock of three days", { timeout: 120_000 }, () => {
  test("an API that is down for 48 hours gets every message afterwards", async () => {
    let status = 503;
    const { way, attemptsAt } = await setUp(() => status);
    const ids: string[] = [];
    for (let sent = 0; sent < 96; sent += 1) {
      ids.push(await way.send(`d${sent}`), await way.send(`d${sent + 1000}`));
      await way.pass(hour / 2, 5 * minute);
    }
    expect(way.alarms).toMatchObject([{ reason: "FAILURES_IN_A_ROW", code: "HTTP_503" }]);
    const during = [...attemptsAt.values()].flat().length;
    expect(way.ledger()).toMatchObject({ received: 192, delivered: 0, pending: 192 });
    status = 200;
    const backAt = way.now();
    await way.pass(13 * hour, 5 * minute);
    expect(way.ledger()).toMatchObject({ received: 192, delivered: 192, dead: 0, pending: 0 });
    expect([...attemptsAt.keys()].sort()).toEqual(ids.toSorted());
    // Up to the first probe that succeeds, and not more often than circuit's three tries at each tick before.
    expect(Math.min(...[...attemptsAt.values()].map((times) => times.at(-1) ?? 0))).toBeLessThan(backAt + 6 * minute);
    expect(during).toBeLessThan(48 * 12 * 3 + 40);
  });

  test("a message that nobody takes is attempted by the schedule, and then a dead letter that can be sent again", async () => {
    let isBroken = true;
    const { way, attemptsAt } = await setUp((deviceId) => (deviceId === "d1" && isBroken ? 500 : 200));
    const id = await way.send("d1");
    const sentAt = way.now();
    await way.work();
    for (let passed = 0; passed < 10 * minute; passed += 1_000) await way.pass(1_000, 1_000);
    for (let hours = 0; hours < 100; hours += 1) {
      await way.send("d2");
      await way.pass(hour, minute);
    }
    const times = attemptsAt.get(id) ?? [];
    const delays = times.slice(1).map((at, index) => (at - (times[index] ?? 0)) / 1000);
    const longest = 43_200 - 145;
    const schedule = [5, 30, 300, 1800, 7200, 18_000, 36_000, ...Array<number>(6).fill(longest)];
    expect(delays).toHaveLength(13);
    for (const [index, wanted] of schedule.entries()) {
      expect(delays[index]).toBeGreaterThanOrEqual(wanted * 0.9);
      expect(delays[index]).toBeLessThanOrEqual(wanted + 60);
    }
    expect((times.at(-1) ?? 0) - sentAt).toBeGreaterThan(72 * hour);
    const letter = await way.deadLetters.get(id);
    expect(letter).toMatchObject({ route: "location", deviceId: "d1", reason: "HTTP_500", state: "dead" });
    expect(letter?.attempts).toHaveLength(14);
    expect(way.ledger()).toMatchObject({ received: 101, delivered: 100, dead: 1, pending: 0 });
    expect(way.alarms).toEqual([]);
    isBroken = false;
    await way.send("d1", "retry", id);
    await way.pass(minute);
    expect(attemptsAt.get(id)).toHaveLength(15);
    expect(checkLedger([way.ledger()].flatMap((line) => line ?? []))).toMatchObject([{ difference: 0 }]);
  }, 60_000);

  test("a 404 for one device among a thousand stops nobody, and is a dead letter within a minute", async () => {
    const { way } = await setUp((deviceId) => (deviceId === "d500" ? 404 : 200));
    for (let device = 0; device < 1000; device += 1) await way.send(`d${device}`);
    await way.work();
    expect(way.ledger()).toMatchObject({ received: 1000, delivered: 999, pending: 1 });
    await way.pass(20_000, 1_000);
    await way.send("d1");
    await way.pass(20_000, 1_000);
    expect(way.ledger()).toMatchObject({ received: 1001, delivered: 1000, dead: 1, pending: 0 });
    expect(way.alarms).toEqual([]);
  });

  test("a 401 for all holds everything, is an alarm at once, and loses nothing", async () => {
    let status = 401;
    const { way, attemptsAt } = await setUp(() => status);
    for (let device = 0; device < 1000; device += 1) await way.send(`d${device}`);
    await way.work();
    expect(way.alarms).toEqual([{ reason: "SUSPECTS_IN_A_ROW", code: "HTTP_401" }]);
    expect(attemptsAt.size).toBeLessThanOrEqual(20);
    await way.pass(24 * hour);
    expect(way.ledger()).toMatchObject({ received: 1000, delivered: 0, dead: 0, pending: 1000 });
    status = 200;
    await way.pass(13 * hour);
    expect(way.ledger()).toMatchObject({ received: 1000, delivered: 1000, dead: 0, pending: 0 });
  });
});
