import { expect, test } from "vitest";
import { encodeReply, readCommand } from "../../scheme/command/command-message.ts";
import { resendRequests } from "./sweep.ts";
import { type MemoryBroker, startCommands } from "./testing.ts";

test("a state is recorded, published and retained, with a version", async () => {
  const { commands, broker, draft, now } = await startCommands();
  const before = now();
  const record = await commands.send(draft("d1"));
  expect(record).toMatchObject({ state: "published", kind: "state", attempts: [{ broker: "broker" }] });
  expect(record.version).toBeGreaterThanOrEqual(before - 1); // the first version is the time
  expect(record.publishedAt).toBeGreaterThanOrEqual(before);
  expect(broker.versionOf("d1")).toBe(record.version);
  expect(await commands.get(record.id)).toEqual(record);
  expect(await commands.device("d1")).toMatchObject({ version: record.version, command: { id: record.id } });
});

test("a newer state supersedes the one before", async () => {
  const { commands, broker, draft } = await startCommands();
  const first = await commands.send(draft("d1"));
  const second = await commands.send(draft("d1"));
  expect(second.version).toBe((first.version ?? 0) + 1);
  expect(await commands.get(first.id)).toMatchObject({ state: "superseded", endedAt: expect.any(Number) });
  expect(broker.versionOf("d1")).toBe(second.version);
  expect((await commands.list("d1", { limit: 10 })).map(({ id }) => id)).toEqual([second.id, first.id]);
});

test("clearing takes the retained message away, and is a version", async () => {
  const { commands, broker, draft, now } = await startCommands();
  const { id, version = 0 } = await commands.send(draft("d1"));
  const device = await commands.clear("d1", draft("d1").id);
  expect(device).toMatchObject({ version: version + 1, command: undefined });
  expect(broker.retained.has("commands/d1")).toBe(false);
  expect(await commands.get(id)).toMatchObject({ state: "cleared", endedAt: expect.closeTo(now(), -4) });
  expect(await commands.send(draft("d1"))).toMatchObject({ state: "published", version: version + 2 });
});

test("what was done already keeps its state when another takes its place", async () => {
  const { commands, parts, draft, now } = await startCommands();
  const { id } = await commands.send(draft("d1"));
  await parts.ledger.recordReply({ commandId: id, deviceId: "d1", status: "succeeded", at: now(), body: "null" });
  await commands.send(draft("d1"));
  expect(await commands.get(id)).toMatchObject({ state: "succeeded" });
});

test("a request is published without RETAIN, for as long as it is of use", async () => {
  const { commands, broker, draft, now } = await startCommands();
  const deadlineAt = now() + 60_000;
  const record = await commands.send(draft("d1", { kind: "request", deadlineAt }));
  expect(record).toMatchObject({ state: "published", deadlineAt });
  expect(broker.published).toMatchObject([{ topic: "commands/d1", isRetained: false, messageExpirySeconds: 60 }]);
  expect(readCommand(broker.published[0]?.payload ?? Buffer.alloc(0))).toMatchObject({ expiresAt: deadlineAt });
});

test("the same command again is the same command", async () => {
  const { commands, broker, draft } = await startCommands();
  const same = draft("d1");
  const first = await commands.send(same);
  expect(await commands.send({ ...same, body: "{}" })).toEqual(first);
  expect(broker.published).toHaveLength(1);
});

test("a command that no broker takes is recorded, and published by the sweeper", async () => {
  const { commands, broker, draft, sweepAfter } = await startCommands();
  broker.isAway = true;
  const state = await commands.send(draft("d1"));
  const request = await commands.send(draft("d2", { kind: "request", deadlineAt: draft("d2").issuedAt + 3_600_000 }));
  expect([state.state, request.state]).toEqual(["recorded", "recorded"]);
  expect(state.attempts).toMatchObject([{ broker: "broker", error: expect.stringContaining("BROKER_UNREACHABLE") }]);
  broker.isAway = false;
  await sweepAfter(15);
  expect(await commands.get(state.id)).toMatchObject({ state: "published", version: broker.versionOf("d1") });
  expect(await commands.get(request.id)).toMatchObject({ state: "published", attempts: [{}, { broker: "broker" }] });
});

test("of several brokers all get it, and one that was away when it returns", async () => {
  const { commands, brokers, draft, sweepAfter } = await startCommands("a", "b");
  const [a, b] = brokers as [MemoryBroker, MemoryBroker];
  await sweepAfter(1); // knows both
  b.isAway = true;
  const { state, version, attempts } = await commands.send(draft("d1"));
  expect(state).toBe("published");
  expect(attempts).toHaveLength(2);
  expect(a.versionOf("d1")).toBe(version);
  expect((await commands.device("d1")).copies).toEqual(new Map([["a", version]]));
  b.isAway = false;
  expect(await sweepAfter(15)).toMatchObject({ devices: 1 });
  expect(b.versionOf("d1")).toBe(version);
  expect((await commands.device("d1")).copies.get("b")).toBe(version);
  expect(await sweepAfter(100)).toEqual({ commands: 0, devices: 0, synced: 0 });
});

test("a broker that is new, or lost what it had, is given the states of all devices", async () => {
  const { commands, broker, draft, sweepAfter } = await startCommands();
  for (let index = 0; index < 120; index += 1) await commands.send(draft(`d${index}`));
  await commands.clear("d7", draft("d7").id);
  await sweepAfter(1); // has seen it
  const before = new Map(broker.retained);
  broker.retained.clear();
  expect(await sweepAfter(60)).toMatchObject({ synced: 120 });
  expect([...broker.retained.keys()].toSorted()).toEqual([...before.keys()].toSorted());
  expect(broker.versionOf("d3")).toBe((await commands.device("d3")).version);
  const published = broker.published.length;
  expect(await sweepAfter(60)).toMatchObject({ synced: 0 });
  expect(broker.published).toHaveLength(published);
});

test("a request past its deadline has expired, swept or not", async () => {
  const { commands, draft, clock, sweepAfter, now } = await startCommands();
  const wanted = { kind: "request", deadlineAt: now() + 5_000 } as const;
  const [swept, read] = [await commands.send(draft("d1", wanted)), await commands.send(draft("d2", wanted))];
  clock.aheadMs += 6_000;
  expect(await commands.get(read.id)).toMatchObject({ state: "expired" });
  await sweepAfter(1);
  expect((await commands.list("d1", { limit: 1 }))[0]).toMatchObject({ id: swept.id, state: "expired" });
});

test("waits for the device's answer, which the ledger has then", async () => {
  const { commands, broker, draft, now } = await startCommands();
  const command = draft("d1");
  await using wait = await commands.awaitReply("d1", command.id);
  await commands.send(command);
  const reply = (commandId: string, body: string) => ({
    topic: "replies/d1",
    payload: encodeReply({ commandId, status: "failed", body }),
    isRetained: false,
  });
  const answered = wait.answered(now() + 5_000);
  await broker.publish(reply("another", "1"));
  await broker.publish({ topic: "replies/d1", payload: Buffer.from("garbage"), isRetained: false });
  await broker.publish(reply(command.id, "2"));
  expect(await answered).toMatchObject({ state: "failed", reply: { status: "failed", body: "2" } });
  expect(await commands.get(command.id)).toMatchObject({ state: "failed" });
});

test("an answer that came another way is found in the ledger", async () => {
  const { commands, parts, draft, now } = await startCommands();
  const command = draft("d1");
  await using wait = await commands.awaitReply("d1", command.id);
  await commands.send(command);
  const answered = wait.answered(now() + 5_000);
  await parts.ledger.recordReply({ commandId: command.id, deviceId: "d1", status: "succeeded", at: now(), body: "3" });
  expect(await answered).toMatchObject({ state: "succeeded", reply: { body: "3" } });
});

test("gives up waiting in time, and at once for what another took the place of", async () => {
  const { commands, draft, now } = await startCommands();
  const [first, second] = [draft("d1"), draft("d1")];
  await using waitFirst = await commands.awaitReply("d1", first.id);
  await using waitSecond = await commands.awaitReply("d1", second.id);
  await commands.send(first);
  await commands.send(second);
  expect(await waitFirst.answered(now() + 3_600_000)).toBeUndefined();
  expect(await waitSecond.answered(now() + 30)).toBeUndefined();
});

test("a device that comes online is sent its open requests again, in their order", async () => {
  const { commands, broker, draft, parts, clock, now } = await startCommands();
  const open = { kind: "request", deadlineAt: now() + 60_000 } as const;
  const first = await commands.send(draft("d1", open));
  const second = await commands.send(draft("d1", open));
  const answered = await commands.send(draft("d1", open));
  await commands.send(draft("d2", open));
  await commands.send(draft("d1"));
  await parts.ledger.recordReply({ commandId: answered.id, deviceId: "d1", status: "failed", at: now(), body: "1" });
  expect(await resendRequests("d1", parts)).toBe(0); // they may be on their way
  clock.aheadMs += 6_000;
  const published = broker.published.length;
  expect(await resendRequests("d1", parts)).toBe(2);
  const again = broker.published.slice(published).map(({ payload }) => readCommand(payload).commandId);
  expect(again).toEqual([first.id, second.id]);
  expect(await commands.get(first.id)).toMatchObject({ state: "published", attempts: [{}, {}] });
  clock.aheadMs += 60_000;
  expect(await resendRequests("d1", parts)).toBe(0);
});
