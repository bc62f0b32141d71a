import { expect, test } from "vitest";
import type { CommandDraft, Commands } from "../commands/commands.ts";
import { startPush, startPushWith, type TestRequest } from "./testing.ts";

const track = { command: "track", args: { on: true } };
const keyed = (key: string, more: Partial<TestRequest> = {}): TestRequest => ({
  ...{ path: "/devices/d1/commands", body: track },
  headers: { "idempotency-key": key },
  ...more,
});

test("the same request with the same key is done once, and answered the same", async () => {
  const { ask, broker, metrics } = await startPush();
  for (const request of [
    keyed("k1"),
    keyed("k2", { path: "/commands", body: { deviceIds: ["d2", "a/b"], ...track } }),
    keyed("k3", { method: "DELETE", body: undefined }),
    keyed("k4", { path: "/publish", body: { topic: "orders/1", body: 1.5 } }),
  ]) {
    const first = await ask(request);
    expect(first.status).toBeLessThan(300);
    const published = broker.published.length;
    expect(await ask(request)).toEqual(first);
    expect(broker.published).toHaveLength(published);
  }
  expect(metrics).toEqual(["CommandsAccepted=1", "CommandsAccepted=1", "DEVICE_ID_INVALID CommandsRefused=1"]);
});

test("another body or query with the same key is refused", async () => {
  const { ask, broker } = await startPush();
  expect((await ask(keyed("k1"))).status).toBe(202);
  const body = await ask(keyed("k1", { body: { ...track, args: { on: false } } }));
  const query = await ask(keyed("k1", { path: "/devices/d1/commands?wait=0" }));
  expect([body.status, body.json.code, query.json.code]).toEqual([
    422,
    "IDEMPOTENCY_KEY_REUSED",
    "IDEMPOTENCY_KEY_REUSED",
  ]);
  expect(broker.published).toHaveLength(1);
});

test("a key is its caller's, its operation's and its path's", async () => {
  const { ask, broker } = await startPush();
  const requests = [
    keyed("k1"),
    keyed("k1", { caller: "arn:aws:iam::1:user/other" }),
    keyed("k1", { path: "/devices/d2/commands" }),
    keyed("k1", { method: "DELETE" }),
  ];
  for (const request of requests) expect((await ask(request)).status).toBe(202);
  expect(broker.published).toHaveLength(4);
});

test("while the first request runs, the second hears when to come again", async () => {
  const running = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const { ask } = await startPushWith(({ send }) => ({
    send: async (draft) => {
      running.resolve();
      await release.promise;
      return await send(draft);
    },
  }));
  const first = ask(keyed("k1"));
  await running.promise;
  const second = await ask(keyed("k1"));
  expect([second.status, second.json.code]).toEqual([409, "IDEMPOTENCY_KEY_IN_USE"]);
  expect(Number(second.headers["retry-after"])).toBeLessThanOrEqual(10);
  release.resolve();
  const { json } = await first;
  expect((await ask(keyed("k1"))).json).toEqual(json);
});

// A process that dies does nothing more: what it had begun never ends, and nobody hears of it.
test.for([
  ["before the record", async () => undefined],
  ["after the publication", async ({ send }: Commands, draft: CommandDraft) => void (await send(draft))],
] as const)(
  "a retry after a crash %s gives the command that the first request would have given",
  async ([, before]) => {
    const drafts: CommandDraft[] = [];
    const crashed = Promise.withResolvers<void>();
    const { ask, broker, clock, options } = await startPushWith((commands) => ({
      send: async (draft) => {
        drafts.push(draft);
        if (drafts.length > 1) return await commands.send(draft);
        await before(commands, draft);
        crashed.resolve();
        return await new Promise(() => {});
      },
    }));
    const lost = ask(keyed("k1"));
    await Promise.race([crashed.promise, lost]);
    expect((await ask(keyed("k1"))).status).toBe(409);
    clock.aheadMs += 10_001;
    const retry = await ask(keyed("k1"));
    expect([retry.status, retry.json.id]).toEqual([202, drafts[0]?.id]);
    expect(drafts[1]).toEqual(drafts[0]);
    expect(await options.commands?.list("d1", { limit: 10 })).toHaveLength(1);
    expect(broker.published).toHaveLength(1);
    expect(await ask(keyed("k1"))).toEqual(retry);
  },
);

test("a retry of a wait that was in vain goes on with the same command", async () => {
  const { ask, broker } = await startPush();
  const request = keyed("k1", { path: "/devices/d1/commands?wait=1" });
  const [first, second] = [await ask(request), await ask(request)];
  expect([first.status, second.status]).toEqual([504, 504]);
  expect(second.json.command.id).toBe(first.json.command.id);
  expect(broker.published.filter(({ topic }) => topic === "commands/d1")).toHaveLength(1);
});

test("a request that was refused for its body leaves its key to the right one", async () => {
  const { ask } = await startPush();
  expect((await ask(keyed("k1", { body: { ...track, kind: "wish" } }))).status).toBe(400);
  expect((await ask(keyed("k1"))).status).toBe(202);
});

test("what failed for a moment is done again with the same key, for those that failed", async () => {
  let isAway = true;
  const { ask, broker } = await startPushWith(({ send }) => ({
    send: async (draft) => {
      if (isAway && draft.deviceId === "d2") throw Object.assign(new Error("throttled"), { $metadata: {} });
      return await send(draft);
    },
  }));
  const request = keyed("k1", { path: "/commands", body: { deviceIds: ["d1", "d2"], ...track } });
  const first = await ask(request);
  expect(first.status).toBe(207);
  isAway = false;
  const second = await ask(request);
  expect(second.status).toBe(202);
  expect(second.json.outcomes[0]).toEqual(first.json.outcomes[0]);
  expect(broker.published.map(({ topic }) => topic)).toEqual(["commands/d1", "commands/d2"]);
});

test.for(["", "k 1", "é", "x".repeat(256)])("the key %j is none", async (key) => {
  const { ask, broker } = await startPush();
  expect((await ask(keyed(key))).json.code).toBe("IDEMPOTENCY_KEY_INVALID");
  expect(broker.published).toEqual([]);
});

test("what asks and changes nothing takes no notice of a key", async () => {
  const { ask } = await startPush();
  expect((await ask({ method: "GET", path: "/devices/d1", headers: { "idempotency-key": "" } })).status).toBe(200);
});
