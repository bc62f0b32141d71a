import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { TestBroker } from "../test/support/mosquitto.ts";
import type { Client } from "./client.ts";
import type { Message } from "./message.ts";
import { connected, endOfTurn, handledLines, lasting, startAedes, startOpenBroker } from "./testing.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await startOpenBroker();
});

afterAll(() => broker[Symbol.asyncDispose]());

/** Packets of a kind that the broker had of a client. */
async function packets(kind: "SUBSCRIBE" | "UNSUBSCRIBE", { clientId }: Client, from: number): Promise<number> {
  const lines = await handledLines(broker, from);
  return lines.filter((line) => line.includes(`Received ${kind} from ${clientId}`)).length;
}

function texts(messages: readonly Message[]): readonly string[] {
  return messages.map(({ topic, payload }) => `${topic} ${payload}`);
}

describe.each([4, 5] as const)("with MQTT version %i", (protocolVersion) => {
  test("many who wait for one topic are one subscription, given back when the last one has gone", async () => {
    const client = await connected(broker.url, { protocolVersion });
    const from = broker.lines.length;
    const waiting = Array.from({ length: 50 }, () => client.receive("one", { timeoutMs: 5_000 }));
    await using listening = await client.listen("one", () => {});
    expect(client.subscriptionCount).toBe(1);
    await client.publish("one", "x");
    expect(new Set(await Promise.all(waiting)).size).toBe(1);
    await endOfTurn();
    expect(await packets("UNSUBSCRIBE", client, from)).toBe(0);
    await listening[Symbol.asyncDispose]();
    await endOfTurn();
    expect(client.subscriptionCount).toBe(0);
    expect(await packets("UNSUBSCRIBE", client, from)).toBe(1);
  });

  test("calls that follow one another keep the subscription", async () => {
    const client = await connected(broker.url, { protocolVersion });
    await using _ = await client.listen(
      "q",
      () => void client.publish("a", `{"header":{"commandId":"none"},"body":1}`),
    );
    const from = broker.lines.length;
    for (let count = 0; count < 5; count += 1) {
      const request = client.request("q", "1", { replyTopic: "a", timeoutMs: 5_000 });
      const answer = client.receive("a", { timeoutMs: 5_000 });
      await answer;
      // The next one begins in the same turn as this one ends.
      request.catch(() => {});
    }
    expect(await packets("UNSUBSCRIBE", client, from)).toBe(0);
  });

  test("a filter that is wanted again while it is given back is subscribed to", async () => {
    const client = await connected(broker.url, { protocolVersion });
    for (let round = 0; round < 100; round += 1) {
      const heard = Promise.withResolvers<Message>();
      const listening = await client.listen("again", heard.resolve);
      await client.publish("again", String(round));
      expect((await heard.promise).payload.toString()).toBe(String(round));
      await listening[Symbol.asyncDispose]();
      // Every second time the UNSUBSCRIBE is under way when the next SUBSCRIBE goes out.
      if (round % 2 === 0) await endOfTurn();
    }
    await endOfTurn();
    expect(client.subscriptionCount).toBe(0);
  });

  test.for([
    ["a", ["a", "a/#", "+", "#"]],
    ["a/b", ["a/b", "a/+", "+/b", "+/+", "a/#", "a/b/#", "#"]],
    ["a/b/c", ["a/#", "a/b/#", "+/b/c", "#"]],
    ["/a", ["/a", "+/a", "+/+", "/#", "#"]],
  ] as const)("a message on %s comes once to each who wants it: %j", async ([topic, wanted]) => {
    const client = await connected(broker.url, { protocolVersion });
    const filters = [
      ...new Set([...wanted, "a", "a/b", "b", "+", "a/+", "a/#", "a/b/#", "+/b", "b/#", "/#", "$SYS/x"]),
    ];
    const heard: string[] = [];
    for (const filter of filters)
      await client.listen(filter, (message) => message.topic === topic && heard.push(filter));
    await client.publish(topic, "x");
    // The broker sends all copies of a message before it takes the next one.
    const last = client.receive("zz/last", { timeoutMs: 5_000 });
    await client.publish("zz/last", "x");
    await last;
    expect(heard.toSorted()).toEqual([...wanted].toSorted());
  });

  test("a second subscriber gets the retained message too, and the first one not again", async () => {
    const publisher = await connected(broker.url, { protocolVersion });
    await publisher.publish("kept/a", "old", { isRetained: true });
    onTestFinished(() => publisher.publish("kept/a", "", { isRetained: true }));
    const client = await connected(broker.url, { protocolVersion });
    const [first, second]: Message[][] = [[], []];
    await client.listen("kept/a", (message) => first?.push(message));
    await client.readRetained("kept/a", { timeoutMs: 5_000 });
    await client.listen("kept/a", (message) => second?.push(message));
    await client.listen("kept/+", (message) => second?.push(message));
    await client.readRetained("kept/a", { timeoutMs: 5_000 });
    expect(texts(first ?? [])).toEqual(["kept/a old"]);
    expect(new Set(texts(second ?? []))).toEqual(new Set(["kept/a old"]));
    expect(second?.length).toBeGreaterThanOrEqual(2);
    expect(first?.[0]?.isRetained).toBe(true);
  });

  test("a shared subscription has its share", async () => {
    const client = await connected(broker.url, { protocolVersion });
    const other = await connected(broker.url, { protocolVersion });
    const heard: string[] = [];
    for (const each of [client, other]) await each.listen("$share/g/s/+", ({ topic }) => heard.push(topic));
    await Promise.all(Array.from({ length: 10 }, (_, index) => client.publish(`s/${index}`, "x")));
    for (const each of [client, other]) await each.readRetained("none", { timeoutMs: 5_000 });
    expect(heard.toSorted()).toEqual(Array.from({ length: 10 }, (_, index) => `s/${index}`));
  });
});

test("a subscription has every message in its order, however slow its reader", async () => {
  const client = await connected(broker.url);
  await using subscription = await client.subscribe("slow");
  for (let index = 0; index < 100; index += 1) await client.publish("slow", String(index));
  const read: number[] = [];
  for await (const { payload } of subscription) {
    read.push(Number(payload));
    if (read.length === 100) break;
  }
  expect(read).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test("leaving the loop ends the subscription", async () => {
  const client = await connected(broker.url);
  const subscription = await client.subscribe("left");
  await client.publish("left", "x");
  for await (const _ of subscription) break;
  await endOfTurn();
  expect(client.subscriptionCount).toBe(0);
  expect(await subscription.next()).toEqual({ done: true, value: undefined });
});

test("a reader that is too slow reads what is in the buffer, and is told that there was more", async () => {
  const client = await connected(broker.url);
  await using subscription = await client.subscribe("flood", { maxBuffered: 3 });
  await using other = await client.subscribe("flood");
  for (const text of ["a", "b", "c", "d", "e"]) await client.publish("flood", text);
  const read: string[] = [];
  const reading = (async () => {
    for await (const { payload } of subscription) read.push(payload.toString());
  })();
  await expect(reading).rejects.toMatchObject({ code: "CLIENT_OVERFLOW" });
  expect(read).toEqual(["a", "b", "c"]);
  expect(await subscription.next()).toEqual({ done: true, value: undefined });
  // It is the slow reader's loss alone.
  expect(other.bufferedCount).toBe(5);
});

test("a callback that throws takes nothing from the others, and is an uncaught exception", async () => {
  const client = await connected(broker.url);
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const uncaught = new Promise<Error>((resolve) => process.once("uncaughtException", resolve));
  onTestFinished(() => {
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  await client.listen("thrown", () => {
    throw new Error("of the callback");
  });
  await using subscription = await client.subscribe("thrown");
  await client.publish("thrown", "x");
  expect((await uncaught).message).toBe("of the callback");
  expect((await subscription.next()).done).toBe(false);
});

test("a topic that is received twice at once gives both the same message, the next call the next one", async () => {
  const client = await connected(broker.url);
  const both = [client.receive("next", { timeoutMs: 5_000 }), client.receive("next", { timeoutMs: 5_000 })];
  await client.publish("next", "a");
  expect(texts(await Promise.all(both))).toEqual(["next a", "next a"]);
  const third = client.receive("next", { timeoutMs: 5_000 });
  await client.publish("next", "b");
  expect(texts([await third])).toEqual(["next b"]);
});

test("a call made by a callback waits for the next message, not for this one", async () => {
  const client = await connected(broker.url);
  const inner = Promise.withResolvers<{ readonly next: Promise<Message> }>();
  const listening = await client.listen("nested", () => {
    void listening[Symbol.asyncDispose]();
    inner.resolve({ next: client.receive("nested", { timeoutMs: 5_000 }) });
  });
  await client.publish("nested", "a");
  const { next } = await inner.promise;
  await client.publish("nested", "b");
  expect((await next).payload.toString()).toBe("b");
});

test("nothing comes within the time: CLIENT_TIMEOUT, and the subscription is given back", async () => {
  const client = await connected(broker.url);
  await expect(client.receive("never", { timeoutMs: 20 })).rejects.toMatchObject({ code: "CLIENT_TIMEOUT" });
  await endOfTurn();
  expect(client.subscriptionCount).toBe(0);
});

test("a broker that leaves a SUBSCRIBE unanswered: CLIENT_TIMEOUT", async () => {
  const old = await lasting(startAedes({ authorizeSubscribe: () => {} }));
  const client = await connected(old.url);
  await expect(client.subscribe("a", { timeoutMs: 20 })).rejects.toMatchObject({ code: "CLIENT_TIMEOUT" });
  await endOfTurn();
  expect(client.subscriptionCount).toBe(0);
});
