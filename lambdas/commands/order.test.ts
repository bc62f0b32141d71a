import { expect, test } from "vitest";
import { readCommand } from "../../scheme/command/command-message.ts";
import { openCommands } from "./open-commands.ts";
import { type MemoryBroker, startCommands } from "./testing.ts";

function versionsAt(broker: MemoryBroker): readonly number[] {
  return broker.published.map(({ payload }) => readCommand(payload).version ?? 0);
}

test("many at once: the newest is retained, no older one after a newer one, and few are published", async () => {
  const { broker, draft, options } = await startCommands();
  broker.before = () => new Promise((resolve) => setTimeout(resolve, 5)); // as a network does
  const processes = Array.from({ length: 8 }, () => openCommands(options));
  const sent = await Promise.all(Array.from({ length: 40 }, (_, index) => processes[index % 8]?.send(draft("d1"))));
  const versions = sent.map((record) => record?.version ?? 0);
  expect(new Set(versions).size).toBe(40);
  const published = versionsAt(broker);
  expect(published).toEqual(published.toSorted((one, other) => one - other));
  expect(broker.versionOf("d1")).toBe(Math.max(...versions));
  expect(published.length).toBeLessThan(40);
  const states = await Promise.all(sent.map((record) => openCommands(options).get(record?.id ?? "")));
  expect(states.filter((record) => record?.state === "published").map((record) => record?.version)).toEqual([
    Math.max(...versions),
  ]);
  expect(states.filter((record) => record?.state === "superseded")).toHaveLength(39);
});

test("a process that was frozen before it published lays the newest over what it had", async () => {
  const { broker, draft, options, clock, commands } = await startCommands();
  const frozen = Promise.withResolvers<void>();
  const thawed = Promise.withResolvers<void>();
  broker.before = () => {
    broker.before = () => undefined;
    frozen.resolve();
    return thawed.promise;
  };
  const sleeper = commands.send(draft("d1"));
  await frozen.promise;
  clock.aheadMs += 10_000; // its lease is over
  const newer = await openCommands(options).send(draft("d1"));
  expect(broker.versionOf("d1")).toBe(newer.version);
  thawed.resolve();
  expect(await sleeper).toMatchObject({ state: "superseded" });
  expect(broker.versionOf("d1")).toBe(newer.version);
  expect(versionsAt(broker)).toEqual([newer.version, (newer.version ?? 0) - 1, newer.version]);
});

test("a process that died with the lease is waited for no longer than that", async () => {
  const { broker, draft, options, parts, clock, commands } = await startCommands();
  const { id, issuedAt, body } = draft("d1");
  await parts.states.advance("d1", { id, issuedAt, body }, { owner: "dead", until: options.now() + 4_000 });
  const sent = commands.send(draft("d1"));
  clock.aheadMs += 4_001;
  expect(await sent).toMatchObject({ state: "published", version: broker.versionOf("d1") });
  expect(broker.published).toHaveLength(1);
});

test("a command that was left behind does not take the place of one that came after it", async () => {
  const { broker, draft, parts, commands, sweepAfter } = await startCommands();
  const leftBehind = draft("d1");
  await parts.ledger.record(leftBehind); // and then its process died
  const newer = await commands.send(draft("d1", { issuedAt: leftBehind.issuedAt + 1 }));
  await sweepAfter(15);
  expect(await commands.get(leftBehind.id)).toMatchObject({ state: "superseded" });
  expect(broker.versionOf("d1")).toBe(newer.version);
  expect(await commands.send(leftBehind)).toMatchObject({ state: "superseded" });
});

test.for(["record", "place", "publication"] as const)(
  "a process that died after its %s: the sweeper goes on",
  async (point) => {
    const { broker, draft, parts, options, commands, sweepAfter } = await startCommands();
    const earlier = await commands.send(draft("d1"));
    const command = draft("d1");
    const { id, issuedAt, body } = command;
    await parts.ledger.record(command);
    const lease = { owner: "dead", until: options.now() + 4_000 };
    if (point !== "record") await parts.states.advance("d1", { id, issuedAt, body }, lease);
    const { version } = await parts.states.get("d1");
    const message = { commandId: id, kind: "state", version, issuedAt, body };
    if (point === "publication") {
      broker.retained.set("commands/d1", Buffer.from(JSON.stringify({ header: message, body: {} })));
    }
    await sweepAfter(15);
    expect(await commands.get(id)).toMatchObject({ state: "published" });
    expect(await commands.get(earlier.id)).toMatchObject({ state: "superseded" });
    expect(broker.versionOf("d1")).toBe((earlier.version ?? 0) + 1);
    expect((await parts.states.get("d1")).copies.get("broker")).toBe((earlier.version ?? 0) + 1);
  },
);

test("a process that died while it cleared: the sweeper goes on", async () => {
  const { broker, draft, parts, options, commands, sweepAfter } = await startCommands();
  const { id, version = 0 } = await commands.send(draft("d1"));
  const clearing = { id: draft("d1").id, issuedAt: options.now(), body: undefined };
  await parts.states.advance("d1", clearing, { owner: "dead", until: options.now() + 4_000 });
  await sweepAfter(15);
  expect(broker.retained.has("commands/d1")).toBe(false);
  expect(await commands.get(id)).toMatchObject({ state: "cleared" });
  expect(await commands.device("d1")).toMatchObject({ version: version + 1, command: undefined });
});
