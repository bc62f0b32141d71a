import { expect, test } from "vitest";
import { RouteStates } from "./route-states.ts";
import { startTables } from "./testing.ts";

async function setUp() {
  const { client, deliveries } = await startTables();
  const clock = { now: 1_000_000 };
  return { states: new RouteStates(client, deliveries, () => clock.now), clock };
}

const never = {
  ...{ isOpen: false, openedAt: 0, closedAt: 0, probeAt: 0, holdUntil: 0, lastSuccessAt: 0 },
  ...{ waitingDevices: new Map(), slowDevices: new Map() },
};

test("nothing is known of a route at first", async () => {
  const { states } = await setUp();
  expect(await states.read("location")).toEqual(never);
});

test("one of those who open a circuit opens it", async () => {
  const { states, clock } = await setUp();
  const opening = { reason: "FAILURES HTTP_503", probeAt: 1_010_000 };
  const opened = await Promise.all(Array.from({ length: 5 }, () => states.open("location", opening)));
  expect(opened.filter(Boolean)).toHaveLength(1);
  expect(await states.read("location")).toEqual({ ...never, isOpen: true, openedAt: clock.now, ...opening });
  expect(await states.read("health")).toEqual(never);
});

test("an open circuit's probe is put off, and never brought forward", async () => {
  const { states } = await setUp();
  await states.open("location", { reason: "one", probeAt: 1_010_000 });
  expect(await states.open("location", { reason: "two", probeAt: 1_500_000 })).toBe(false);
  expect(await states.open("location", { reason: "three", probeAt: 1_020_000 })).toBe(false);
  expect(await states.read("location")).toMatchObject({ reason: "one", probeAt: 1_500_000, openedAt: 1_000_000 });
});

test("a circuit closes once, and opens again", async () => {
  const { states, clock } = await setUp();
  expect(await states.close("location")).toBe(false);
  await states.open("location", { reason: "one", probeAt: 1_500_000 });
  clock.now += 5;
  expect(await states.close("location")).toBe(true);
  expect(await states.close("location")).toBe(false);
  const closed = await states.read("location");
  expect(closed).toMatchObject({ isOpen: false, openedAt: 1_000_000, closedAt: 1_000_005 });
  expect(closed).not.toHaveProperty("reason");
  expect(await states.open("location", { reason: "two", probeAt: 1_200_000 })).toBe(true);
  expect(await states.read("location")).toMatchObject({ isOpen: true, reason: "two", probeAt: 1_200_000 });
});

test("of holds and of successes the latest counts", async () => {
  const { states } = await setUp();
  await Promise.all([10, 30, 20].map((time) => states.hold("location", time)));
  await Promise.all([50, 70, 60].map((time) => states.noteSuccess("location", time)));
  expect(await states.read("location")).toEqual({ ...never, holdUntil: 30, lastSuccessAt: 70 });
});

test("devices are held apart from each other, whatever their names", async () => {
  const { states, clock } = await setUp();
  const later = clock.now + 100;
  await Promise.all([
    states.holdDevice("location", "d1", "waiting", later),
    states.holdDevice("location", "d 2.[é]#:", "waiting", later + 1),
    states.holdDevice("location", "d1", "slow", later + 2),
  ]);
  await states.holdDevice("location", "d1", "waiting", later - 50); // it is held for longer
  expect(await states.read("location")).toEqual({
    ...never,
    waitingDevices: new Map([
      ["d1", later],
      ["d 2.[é]#:", later + 1],
    ]),
    slowDevices: new Map([["d1", later + 2]]),
  });
});

test("devices whose time is over are forgotten when another one comes", async () => {
  const { states, clock } = await setUp();
  await states.holdDevice("location", "d1", "slow", clock.now + 100);
  await states.holdDevice("location", "d2", "slow", clock.now + 200);
  clock.now += 150;
  await states.holdDevice("location", "d3", "slow", clock.now + 100);
  expect([...(await states.read("location")).slowDevices.keys()].sort()).toEqual(["d2", "d3"]);
});

test("at most fifty devices are remembered, those that are held longest", async () => {
  const { states, clock } = await setUp();
  for (let index = 0; index < 55; index += 1) {
    await states.holdDevice("location", `d${index}`, "waiting", clock.now + 1_000 + index);
  }
  await states.holdDevice("location", "soon", "waiting", clock.now + 1);
  const devices = [...(await states.read("location")).waitingDevices.keys()];
  expect(devices).toHaveLength(50);
  expect(devices).toContain("soon");
  expect(devices).toContain("d54");
  expect(devices).not.toContain("d5");
});
