import { expect, test } from "vitest";
import { RouteStates } from "../store/route-states.ts";
import { startTables } from "../store/testing.ts";
import type { ProbeResult } from "./probe.ts";
import { createReconcile } from "./reconcile.ts";

/** A route whose probes end as given, one after the other; its mapping was enabled before. */
async function setUp(results: readonly ProbeResult[] = []) {
  const { client, deliveries } = await startTables();
  const clock = { now: 1_000_000 };
  const states = new RouteStates(client, deliveries, () => clock.now);
  const left = [...results];
  const events: string[] = [];
  const reconcile = createReconcile({
    states,
    now: () => clock.now,
    probe: async () => {
      events.push("probe");
      return left.shift() ?? "nothing";
    },
    onOpen: (route, openForMs) => events.push(`${route} open for ${openForMs}`),
    onClosed: (route, openForMs) => events.push(`${route} closed after ${openForMs}`),
  });
  const mappings = {
    setEnabled: async (route: string, isEnabled: boolean) => {
      events.push(`${route} ${isEnabled ? "flows" : "waits"}`);
    },
  };
  const run = async () => {
    await reconcile("location", mappings);
    return events.splice(0);
  };
  const open = (afterMs = 0) => states.open("location", { reason: "test", probeAt: clock.now + afterMs });
  return { clock, states, run, open };
}

test("lets a route flow that nobody has opened", async () => {
  const { run } = await setUp();
  expect(await run()).toEqual(["location flows"]);
});

test("makes an open route wait, and leaves it alone until its time", async () => {
  const { run, open, clock } = await setUp(["success"]);
  await open(10_000);
  clock.now += 9_999;
  expect(await run()).toEqual(["location waits", "location open for 9999"]);
  clock.now += 1;
  expect(await run()).toEqual(["location waits", "probe", "location closed after 10000", "location flows"]);
});

test("closes at the first success of three probes", async () => {
  const { run, open, states, clock } = await setUp(["failure", "failure", "success"]);
  await open();
  const events = await run();
  expect(events.filter((event) => event === "probe")).toHaveLength(3);
  expect(await states.read("location")).toMatchObject({ isOpen: false, closedAt: clock.now });
});

test.for([
  [["failure", "failure", "failure", "success"], 3],
  [["nothing", "success"], 1], // nothing waits
  [["held", "success"], 1], // the API says when to come back
] as const)("stays open after %j, at the probe of number %i", async ([results, probes]) => {
  const { run, open, states } = await setUp(results);
  await open();
  const events = await run();
  expect(events.filter((event) => event === "probe")).toHaveLength(probes);
  expect(events.at(-1)).toBe("location open for 0");
  expect(await states.read("location")).toMatchObject({ isOpen: true });
});

test("does not probe while the API wants to be left alone", async () => {
  const { run, open, states, clock } = await setUp(["success"]);
  await open();
  await states.hold("location", clock.now + 30_000);
  expect(await run()).toEqual(["location waits", "location open for 0"]);
});

test("resumes what another run has closed and not resumed", async () => {
  const { run, open, states } = await setUp();
  await open();
  await states.close("location");
  expect(await run()).toEqual(["location flows"]);
});
