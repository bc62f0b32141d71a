import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { TestBroker } from "../test/support/mosquitto.ts";
import { freePort } from "../test/support/ports.ts";
import { connect } from "./connect.ts";
import type { Message } from "./message.ts";
import { connected, handledLines, lasting, startAedes, startOpenBroker } from "./testing.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await startOpenBroker();
});

afterAll(() => broker[Symbol.asyncDispose]());

describe.each([4, 5] as const)("with MQTT version %i", (protocolVersion) => {
  test("a message reaches those who receive, listen and read", async () => {
    const client = await connected(broker.url, { protocolVersion });
    const heard: Message[] = [];
    await using _ = await client.listen("a/+", (message) => heard.push(message));
    await using subscription = await client.subscribe("a/#");
    const received = client.receive("a/b", { timeoutMs: 5_000 });
    await client.publish("a/b", "1.0");
    const message = await received;
    expect(message).toMatchObject({ topic: "a/b", payload: Buffer.from("1.0"), qos: 1, isRetained: false });
    expect(await subscription.next()).toEqual({ value: message, done: false });
    expect(heard).toEqual([message]);
  });

  test("bytes and text arrive as they were given", async () => {
    const client = await connected(broker.url, { protocolVersion });
    await using subscription = await client.subscribe("bytes");
    const payloads = [new Uint8Array([0xff, 0x00]), Buffer.from("é"), "é", new Uint8Array(0), "x".repeat(200_000)];
    for (const payload of payloads) await client.publish("bytes", payload);
    for (const payload of payloads) {
      expect((await subscription.next()).value?.payload).toEqual(Buffer.from(payload));
    }
  });

  test("publish resolves at the PUBACK", async () => {
    const client = await connected(broker.url, { protocolVersion });
    const from = broker.lines.length;
    await client.publish("acknowledged", "x");
    expect(await broker.logged(new RegExp(`Sending PUBACK to ${client.clientId}`), from)).toBeDefined();
  });

  test("thousands of messages at once, of either QoS, are all acknowledged, and come in their order", async () => {
    const warnings: Error[] = [];
    const collect = (warning: Error) => warnings.push(warning);
    process.on("warning", collect);
    onTestFinished(() => void process.off("warning", collect));
    const quiet = await lasting(startOpenBroker("log_type error\nmax_queued_messages 10000"));
    const client = await connected(quiet.url, { protocolVersion });
    await using subscription = await client.subscribe("many/+", { maxBuffered: 10_000 });
    const published = Array.from({ length: 4_000 }, (_, index) =>
      client.publish(`many/${index % 2}`, String(index), { qos: index % 2 === 0 ? 0 : 1 }),
    );
    await Promise.all(published);
    const numbers: number[] = [];
    for (let count = 0; count < 4_000; count += 1) numbers.push(Number((await subscription.next()).value?.payload));
    for (const qos of [0, 1]) {
      const own = numbers.filter((number) => number % 2 === qos);
      expect(own).toEqual(own.toSorted((a, b) => a - b));
      expect(own).toHaveLength(2_000);
    }
    expect(warnings).toEqual([]);
  });

  test("a will is published where the connection ends without a goodbye, not where it is closed", async () => {
    const witness = await connected(broker.url, { protocolVersion });
    await using wills = await witness.subscribe("wills/#");
    const will = (name: string) => ({ topic: `wills/${name}`, payload: "gone" });
    const closing = await connect(broker.url, { protocolVersion, will: will("closing") });
    await closing[Symbol.asyncDispose]();
    const clientId = "taken-over";
    await using _ = await connect(broker.url, { protocolVersion, clientId, will: will("cut"), isReconnecting: false });
    await connected(broker.url, { protocolVersion, clientId });
    expect((await wills.next()).value?.topic).toBe("wills/cut");
  });
});

test("MQTT 5 properties come along, and expire", async () => {
  const client = await connected(broker.url);
  const received = client.receive("properties", { timeoutMs: 5_000 });
  const properties = {
    contentType: "application/json",
    responseTopic: "answers",
    correlationData: Buffer.from([0xff, 0x00]),
    userProperties: [
      ["x-a", "1"],
      ["x-a", "2"],
      ["constructor", "c"],
    ],
  } as const;
  await client.publish("properties", "{}", { properties: { ...properties, messageExpirySeconds: 60 } });
  expect(await received).toMatchObject(properties);
});

test("a broker without MQTT 5 is spoken to in MQTT 3.1.1", async () => {
  const old = await lasting(startAedes());
  const client = await connected(old.url);
  expect(client.protocolVersion).toBe(4);
  const received = client.receive("a", { timeoutMs: 5_000 });
  await client.publish("a", "x", { properties: { contentType: "text/plain" } });
  expect((await received).contentType).toBeUndefined();
});

test("a version that was asked for is not given up", async () => {
  const old = await lasting(startAedes());
  await expect(connect(old.url, { protocolVersion: 5 })).rejects.toMatchObject({ code: "CLIENT_REFUSED" });
});

test.for([
  ["nobody listens", "CLIENT_UNREACHABLE", true, async (): Promise<string> => `mqtt://127.0.0.1:${await freePort()}`],
  ["the broker says nothing", "CLIENT_TIMEOUT", true, silentServer],
  [
    "the broker refuses the client",
    "CLIENT_REFUSED",
    false,
    async (): Promise<string> =>
      (await lasting(startAedes({ authenticate: (_client, _name, _word, done) => done(null, false) }))).url,
  ],
  ["the URL is none", "CLIENT_INVALID", false, async (): Promise<string> => "user:password@broker"],
  [
    "the URL is another protocol's",
    "CLIENT_INVALID",
    false,
    async (): Promise<string> => "http://user:password@broker",
  ],
] as const)("does not connect where %s: %s", async ([, code, isRetryable, url]) => {
  const error = await connect(await url(), { connectTimeoutMs: 300 }).catch((reason) => reason);
  expect(error).toMatchObject({ code, isRetryable });
  expect(error.message).not.toContain("password");
});

test("user and password of the URL are used, decoded, and those of the options before them", async () => {
  const seen: string[] = [];
  const old = await lasting(
    startAedes({
      authenticate: (_client, username, password, done) => {
        seen.push(`${username} ${password}`);
        done(null, true);
      },
    }),
  );
  const url = old.url.replace("//", "//us%40er:pass%3Aword@");
  expect((await connected(url)).address).toBe(new URL(old.url).host);
  await connected(url, { username: "other", password: "secret" });
  expect(seen).toEqual(["us@er pass:word", "other secret"]);
});

test.for([
  ["a topic with a wildcard", "a/+"],
  ["an empty topic", ""],
  ["a topic with NUL", "a\0"],
  ["a topic that no packet can hold", "a".repeat(65_536)],
] as const)("%s is refused here, and the connection stays", async ([, topic]) => {
  const client = await connected(broker.url, { isReconnecting: false });
  await expect(client.publish(topic, "x")).rejects.toMatchObject({ code: "CLIENT_INVALID" });
  await expect(client.request("a", "x", { replyTopic: topic, timeoutMs: 100 })).rejects.toMatchObject({
    code: "CLIENT_INVALID",
  });
  await client.publish("a", "x");
});

test.for(["", "a/#/b", "a+", "\0"])("filter %j is refused here, and the connection stays", async (filter) => {
  const client = await connected(broker.url, { isReconnecting: false });
  for (const refused of [client.subscribe(filter), client.receive(filter, { timeoutMs: 100 })]) {
    await expect(refused).rejects.toMatchObject({ code: "CLIENT_INVALID" });
  }
  await client.publish("a", "x");
});

test("what the broker's ACL denies is refused, with MQTT 5's reason", async () => {
  const strict = await lasting(startOpenBroker());
  await writeFile(`${strict.folder}/acl`, "topic readwrite allowed/#\n");
  await writeFile(`${strict.folder}/mosquitto.conf`, `${await configOf(strict)}acl_file ${strict.folder}/acl\n`);
  await strict.stop();
  await strict.start();
  const client = await connected(strict.url);
  await expect(client.publish("denied", "x")).rejects.toMatchObject({ code: "CLIENT_REFUSED", reasonCode: 0x87 });
  await client.publish("allowed/a", "x");
});

test("a message that is larger than the broker takes is refused here, and the connection stays", async () => {
  const small = await lasting(startOpenBroker("max_packet_size 1000"));
  const client = await connected(small.url, { isReconnecting: false });
  await expect(client.publish("a", "x".repeat(1_000))).rejects.toMatchObject({ code: "CLIENT_REFUSED" });
  await client.publish("a", "x".repeat(900));
});

test("a subscription that the broker refuses is an error, and the next one is asked for again", async () => {
  let isAllowed = false;
  const old = await lasting(
    startAedes({ authorizeSubscribe: (_client, subscription, done) => done(null, isAllowed ? subscription : null) }),
  );
  const client = await connected(old.url);
  const refused = { code: "CLIENT_REFUSED", reasonCode: 0x80 };
  await expect(client.subscribe("a")).rejects.toMatchObject(refused);
  await expect(client.receive("a", { timeoutMs: 5_000 })).rejects.toMatchObject(refused);
  const request = client.request("q", "1", { replyTopic: "a", timeoutMs: 5_000 });
  await expect(request).rejects.toMatchObject(refused);
  isAllowed = true;
  await using _ = await client.subscribe("a");
  expect(client.subscriptionCount).toBe(1);
});

test("what waits when the client is closed settles with CLIENT_CLOSED, and so does what comes later", async () => {
  const client = await connected(broker.url);
  await using subscription = await client.subscribe("s");
  const calls: readonly Promise<unknown>[] = [
    client.receive("a", { timeoutMs: 60_000 }),
    client.request("q", "1", { replyTopic: "a", timeoutMs: 60_000 }),
    client.readRetained("r", { timeoutMs: 60_000 }),
    client.publish("a", "x"),
    client.subscribe("t"),
    client.listen("t", () => {}),
  ];
  const waiting = calls.map((call) => call.then(() => "done").catch((error) => error.code));
  const next = subscription.next();
  await client[Symbol.asyncDispose]();
  expect(await Promise.all(waiting)).toEqual(waiting.map(() => "CLIENT_CLOSED"));
  expect(await next).toEqual({ done: true, value: undefined });
  await expect(client.publish("a", "x")).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
  expect(await client.closed).toMatchObject({ code: "CLIENT_CLOSED" });
  expect(await client.checkAlive({ withinMs: 100 })).toBe(false);
});

test("a retained message is read, and a topic without one said to have none", async () => {
  const client = await connected(broker.url);
  await client.publish("state/a", "on", { isRetained: true });
  expect(await client.readRetained("state/a", { timeoutMs: 5_000 })).toMatchObject({ isRetained: true });
  expect(await client.readRetained("state/b", { timeoutMs: 5_000 })).toBeUndefined();
  await client.publish("state/a", "", { isRetained: true });
  expect(await client.readRetained("state/a", { timeoutMs: 5_000 })).toBeUndefined();
});

test("several who read the same retained message at once all get it, again and again", async () => {
  // Whose SUBACK comes late, as it does with Nagle's algorithm, must not end who reads after it.
  const broker = await lasting(startOpenBroker("set_tcp_nodelay false"));
  const client = await connected(broker.url);
  for (const text of ["first", "second", "third", "fourth"]) {
    await client.publish("state/a", text, { isRetained: true });
    const read = await Promise.all(
      Array.from({ length: 5 }, () => client.readRetained("state/a", { timeoutMs: 5_000 })),
    );
    expect(read.map((message) => message?.payload.toString())).toEqual(Array(5).fill(text));
  }
});

test("the broker is asked whether it is there after half a keep-alive of silence, not before", async () => {
  const client = await connected(broker.url);
  const from = broker.lines.length;
  expect(await client.checkAlive({ withinMs: 5_000 })).toBe(true);
  const asked = `Received PINGREQ from ${client.clientId}`;
  expect((await handledLines(broker, from)).filter((line) => line.includes(asked))).toEqual([]);
  silence();
  expect(await client.checkAlive({ withinMs: 5_000 })).toBe(true);
  // The answer was heard: there is nothing to ask a second time.
  expect(await client.checkAlive({ withinMs: 5_000 })).toBe(true);
  expect((await handledLines(broker, from)).filter((line) => line.includes(asked))).toHaveLength(1);
});

/** What a process that was frozen sees: the clock on the wall has gone on. */
function silence(): void {
  const { now } = Date;
  vi.spyOn(Date, "now").mockImplementation(() => now() + 16_000);
  onTestFinished(() => void vi.restoreAllMocks());
}

async function configOf({ folder }: TestBroker): Promise<string> {
  return readFile(`${folder}/mosquitto.conf`, "utf8");
}

async function silentServer(): Promise<string> {
  const server = createServer();
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `mqtt://127.0.0.1:${port}`;
}
