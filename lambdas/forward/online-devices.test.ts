import { expect, test } from "vitest";
import { OnlineDevices } from "./online-devices.ts";
import { ingestMessage } from "./test-message.ts";

const start = Date.UTC(2026, 0, 1);

/** What one execution environment knows, with a ledger and a queue that do as the test says. */
function setUp(open: readonly string[] = ["d1"]) {
  const clock = { now: start };
  const world = { open, isLarge: false, ledgerError: undefined as Error | undefined, queueError: undefined as unknown };
  const heard = { reads: 0, announced: [] as (readonly string[])[], errors: [] as string[] };
  const online = new OnlineDevices({
    ledger: {
      openRequests: async () => {
        heard.reads += 1;
        if (world.ledgerError !== undefined) throw world.ledgerError;
        return { deviceIds: new Set(world.open), isLarge: world.isLarge };
      },
    },
    announce: async (deviceIds) => {
      if (world.queueError !== undefined) throw world.queueError;
      heard.announced.push(deviceIds);
    },
    onError: (error) => heard.errors.push(String(error)),
    now: () => clock.now,
  });
  /** An invocation with a message of each of these devices. */
  const invoke = async (...deviceIds: string[]): Promise<void> => {
    const message = ingestMessage({ receivedAt: clock.now });
    for (const deviceId of deviceIds) online.heard({ message, deviceId });
    await online.settled();
  };
  const pass = (seconds: number) => {
    clock.now += seconds * 1000;
  };
  return { online, world, heard, clock, invoke, pass };
}

test("announces a device that has open requests with its first message", async () => {
  const { heard, invoke } = setUp(["d1", "d3"]);
  await invoke("d1", "d2", "d3", "d1");
  expect(heard).toEqual({ reads: 1, announced: [["d1", "d3"]], errors: [] });
});

test("asks nothing before a device is heard", async () => {
  const { heard, invoke } = setUp();
  await invoke();
  expect(heard.reads).toBe(0);
});

test("announces a device once in 10 s, as long as its requests are open", async () => {
  const { heard, world, invoke, pass } = setUp();
  for (let second = 0; second <= 60; second += 1) {
    if (second === 25) world.open = [];
    await invoke("d1");
    pass(1);
  }
  expect(heard.announced).toEqual([["d1"], ["d1"], ["d1"]]);
});

test.for([
  [5, false],
  [60, true],
] as const)("asks the ledger every %i s where its answer being large is %s", async ([seconds, isLarge]) => {
  const { heard, world, invoke, pass } = setUp([]);
  world.isLarge = isLarge;
  await invoke("d1");
  world.open = ["d1"];
  pass(seconds - 1);
  await invoke("d1");
  expect(heard).toMatchObject({ reads: 1, announced: [] });
  pass(1);
  await invoke("d1");
  expect(heard).toMatchObject({ reads: 2, announced: [["d1"]] });
});

test("an environment that was idle looks a device up in a new set, not in the old one", async () => {
  const { heard, world, invoke, pass } = setUp([]);
  await invoke("d9");
  world.open = ["d1"];
  pass(600);
  await invoke("d1"); // the only message that the device sends
  expect(heard.announced).toEqual([["d1"]]);
});

test("tells ten at a time", async () => {
  const many = Array.from({ length: 23 }, (_, index) => `d${index}`);
  const { heard, invoke } = setUp(many);
  await invoke(...many);
  expect(heard.announced.map(({ length }) => length)).toEqual([10, 10, 3]);
  expect(heard.announced.flat()).toEqual(many);
});

test("a message that waited for more than a minute does not say that its device is online", async () => {
  const { online, heard, clock } = setUp();
  online.heard({ message: ingestMessage({ receivedAt: clock.now - 60_001 }), deviceId: "d1" });
  await online.settled();
  expect(heard.reads).toBe(0);
});

test("asks again after 5 s where the ledger could not be asked, for what was heard meanwhile too", async () => {
  const { heard, world, invoke, pass } = setUp(["d1", "d2"]);
  world.ledgerError = new Error("no network");
  await invoke("d1");
  pass(4);
  await invoke("d2");
  expect(heard).toEqual({ reads: 1, announced: [], errors: ["Error: no network"] });
  world.ledgerError = undefined;
  pass(1);
  await invoke("d3");
  expect(heard).toMatchObject({ reads: 2, announced: [["d1", "d2"]] });
});

test("announces again after the next look at the ledger what nobody could be told", async () => {
  const { heard, world, invoke, pass } = setUp();
  world.queueError = new Error("no queue");
  await invoke("d1");
  pass(1);
  await invoke("d1");
  expect(heard).toMatchObject({ announced: [] });
  world.queueError = undefined;
  pass(5);
  await invoke("d9");
  expect(heard).toMatchObject({ reads: 2, announced: [["d1"]] });
});

test("an invocation does not wait for long for a ledger that does not answer, and the next ones not at all", async () => {
  const answer = Promise.withResolvers<{ deviceIds: ReadonlySet<string>; isLarge: boolean }>();
  const announced: (readonly string[])[] = [];
  const said = Promise.withResolvers<void>();
  const online = new OnlineDevices({
    ledger: { openRequests: () => answer.promise },
    announce: async (deviceIds) => {
      announced.push(deviceIds);
      said.resolve();
    },
    onError: (error) => expect.unreachable(String(error)),
    now: () => start,
  });
  const message = ingestMessage({ receivedAt: start });
  online.heard({ message, deviceId: "d1" });
  await online.settled();
  online.heard({ message, deviceId: "d2" });
  let isOver = false;
  const second = online.settled().then(() => {
    isOver = true;
  });
  await Promise.resolve();
  await Promise.resolve();
  expect(isOver).toBe(true);
  await second;
  // What was left goes on in a later invocation.
  answer.resolve({ deviceIds: new Set(["d1", "d2"]), isLarge: false });
  await said.promise;
  expect(announced).toEqual([["d1", "d2"]]);
});

test("remembers a thousand devices until the ledger answers, the last ones", async () => {
  const many = Array.from({ length: 1_001 }, (_, index) => `d${index}`);
  const { heard, invoke } = setUp(many);
  await invoke(...many);
  expect(heard.announced.flat()).toEqual(many.slice(1));
});
