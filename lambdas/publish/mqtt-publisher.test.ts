import { once } from "node:events";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { TestBroker } from "../../test/support/mosquitto.ts";
import { connectAs } from "../../test/support/mqtt-client.ts";
import { freePort } from "../../test/support/ports.ts";
import { MqttPublisher, type MqttPublisherOptions } from "./mqtt-publisher.ts";
import { message, subscribe, testPublisher } from "./publisher.suite.ts";
import { freeze, startOpenBroker } from "./test-broker.ts";
import { startLine } from "./test-line.ts";

const inTime = { timeoutMs: 10_000 };
let broker: TestBroker;

beforeAll(async () => {
  broker = await startOpenBroker();
});

afterAll(() => broker[Symbol.asyncDispose]());

describe("as every publisher", () => {
  testPublisher({
    start: async () => ({
      publisher: open(broker.url),
      brokerUrl: broker.url,
      freeze: async () => {
        const thaw = await freeze(broker);
        return async () => thaw();
      },
    }),
    startUnreachable: async () => open(`mqtt://127.0.0.1:${await freePort()}`),
  });
});

test("connects when it is first used, once for all calls, with an id of its own", async () => {
  await using own = await startOpenBroker();
  const publishers = [open(own.url), open(own.url)];
  expect(connectionsTo(own)).toEqual([]);
  const calls = publishers.flatMap((publisher) => [
    ...["a", "b", "c"].map((topic) => publisher.publish(message(topic, "x"), inTime)),
    publisher.readRetained("a", inTime),
    publisher.listen("a", () => {}, inTime),
  ]);
  await Promise.all(calls);
  const ids = connectionsTo(own);
  expect(ids).toEqual([expect.stringMatching(/^trestle-push-\w{10}$/), expect.stringMatching(/^trestle-push-\w{10}$/)]);
  expect(ids[0]).not.toBe(ids[1]);
});

test("falls back to MQTT 3.1.1", async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle).listen(await freePort(), "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    await new Promise<void>((resolve) => aedes.close(resolve));
    server.close();
  });
  const { port } = server.address() as { readonly port: number };
  const url = `mqtt://127.0.0.1:${port}`;
  await open(url).publish(message("a", "here", { isRetained: true, messageExpirySeconds: 60 }), inTime);
  await using late = await connectAs(url, "d42", { protocolVersion: 4 });
  await late.subscribe(["a"]);
  const { payload, packet } = await late.until(() => true);
  expect([payload.toString(), packet.retain]).toEqual(["here", true]);
});

test("hears what is published from the subscription on, until it listens no more", async () => {
  const publisher = open(broker.url);
  await publisher.publish(message("replies/1", "kept", { isRetained: true }), inTime);
  const heard: unknown[] = [];
  const listening = await publisher.listen("replies/1", (each) => heard.push(each), inTime);
  await using device = await connectAs(broker.url, "device");
  const userProperties = { commandId: "c1", status: "succeeded" };
  await device.publish("replies/1", "done", { properties: { userProperties, contentType: "text/plain" } });
  await device.publish("replies/1", "again");
  await publisher.readRetained("replies/1", inTime);
  await vi.waitUntil(() => heard.length >= 2);
  await listening[Symbol.asyncDispose]();
  const from = broker.lines.length;
  await broker.logged(/Sending UNSUBACK to trestle-push-/, from);
  await device.publish("replies/1", "late");
  await publisher.publish(message("replies/1", "late"), inTime);
  expect(heard).toEqual([
    expect.objectContaining({
      ...{ topic: "replies/1", payload: Buffer.from("done"), contentType: "text/plain" },
      userProperties: Object.entries(userProperties),
    }),
    expect.objectContaining({ payload: Buffer.from("again") }),
  ]);
});

test("goes on with the next call where the broker was killed and started again, and does nothing in between", async () => {
  await using own = await startOpenBroker();
  const publisher = open(own.url);
  await publisher.publish(message("a", "1"), inTime);
  await own.kill();
  await expect(publisher.publish(message("a", "2"), inTime)).rejects.toMatchObject({ code: "BROKER_UNREACHABLE" });
  await own.start();
  const subscriber = await subscribe(own.url, "a");
  expect(connectionsTo(own)).toHaveLength(1);
  await publisher.publish(message("a", "3"), inTime);
  await subscriber.until(() => true);
  expect(subscriber.texts).toEqual(["a 3"]);
  // With one id: the broker ends what it may still have of the connection before.
  const [first, second] = connectionsTo(own);
  expect(second).toBe(first);
});

test("a message whose connection is lost under way is given up", async () => {
  await using own = await startOpenBroker();
  const publisher = open(own.url);
  await publisher.publish(message("a", "1"), inTime);
  await freeze(own);
  const failure = publisher.publish(message("a", "2"), inTime).catch((error: unknown) => error);
  await own.kill();
  expect(await failure).toMatchObject({ code: "BROKER_UNREACHABLE", isRetryable: true });
});

test("a broker that hangs is given up in time, and what it was sent is not sent by a later connection", async () => {
  await using own = await startOpenBroker();
  const publisher = open(own.url);
  await publisher.publish(message("a", "first", { isRetained: true }), inTime);
  const thaw = await freeze(own);
  const late = publisher.publish(message("a", "given up", { isRetained: true }), { timeoutMs: 300 });
  await expect(late).rejects.toMatchObject({ code: "BROKER_TIMEOUT" });
  const opening = publisher.publish(message("a", "never sent"), { timeoutMs: 300 });
  await expect(opening).rejects.toMatchObject({ code: "BROKER_TIMEOUT" });
  thaw();
  await publisher.publish(message("a", "last", { isRetained: true }), inTime);
  const [, second = 0] = own.lines.flatMap((line, index) => (connected.test(line) ? [index] : []));
  expect(second).toBeGreaterThan(0);
  const sent = (lines: readonly string[]) => lines.filter((line) => /Received PUBLISH from trestle-push-/.test(line));
  // What was written before may have reached the broker, in its order.
  expect(sent(own.lines.slice(second))).toHaveLength(1);
  expect(sent(own.lines).length).toBeLessThanOrEqual(3);
  expect(Buffer.from((await publisher.readRetained("a", inTime)) ?? []).toString()).toBe("last");
});

test("an opening that all have given up waiting for is not what the next call waits for", async () => {
  await using line = await startLine(broker.port);
  const publisher = open(`mqtt://127.0.0.1:${line.port}`);
  const thaw = await freeze(broker);
  const late = publisher.publish(message("a", "1"), { timeoutMs: 100 });
  await expect(late).rejects.toMatchObject({ code: "BROKER_TIMEOUT" });
  line.silence();
  thaw();
  // Less than the time that an opening is given.
  await publisher.publish(message("a", "2"), { timeoutMs: 4_000 });
  expect(line.connections).toBe(2);
});

test("who gives up waiting for an opening does not take it from those who wait on", async () => {
  await using line = await startLine(broker.port);
  const publisher = open(`mqtt://127.0.0.1:${line.port}`);
  const thaw = await freeze(broker);
  const patient = publisher.publish(message("a", "1"), inTime);
  const late = publisher.publish(message("a", "2"), { timeoutMs: 100 });
  await expect(late).rejects.toMatchObject({ code: "BROKER_TIMEOUT" });
  thaw();
  await patient;
  expect(line.connections).toBe(1);
});

describe("after more than half a keep-alive of silence", () => {
  const pass = (ms: number) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
    onTestFinished(() => {
      vi.useRealTimers();
    });
  };

  test("asks the broker whether it is there, and keeps the connection", async () => {
    await using line = await startLine(broker.port);
    const publisher = open(`mqtt://127.0.0.1:${line.port}`);
    await publisher.publish(message("a", "1"), inTime);
    const pings = () => broker.lines.filter((each) => /Received PINGREQ from trestle-push-/.test(each)).length;
    const before = pings();
    pass(14_000);
    await publisher.publish(message("a", "2"), inTime);
    expect(pings()).toBe(before);
    pass(16_000);
    await Promise.all(["3", "4", "5"].map((text) => publisher.publish(message("a", text), inTime)));
    expect(pings()).toBe(before + 1);
    expect(line.connections).toBe(1);
  });

  test("opens another connection where there is no answer, and publishes once", async () => {
    await using line = await startLine(broker.port);
    const publisher = open(`mqtt://127.0.0.1:${line.port}`);
    const subscriber = await subscribe(broker.url, "silent");
    await publisher.publish(message("silent", "1"), inTime);
    line.silence();
    pass(16_000);
    await Promise.all(["2", "3"].map((text) => publisher.publish(message("silent", text), inTime)));
    await subscriber.until(() => subscriber.messages.length >= 3);
    expect(subscriber.texts).toEqual(["silent 1", "silent 2", "silent 3"]);
    expect(line.connections).toBe(2);
  });
});

/** A broker's line for each connection that a publisher has made. */
const connected = /New client connected from \S+ as (trestle-push-\w+) /;

function connectionsTo({ lines }: TestBroker): readonly string[] {
  return lines.flatMap((line) => connected.exec(line)?.[1] ?? []);
}

function open(url: string, rest: Partial<MqttPublisherOptions> = {}): MqttPublisher {
  const fetchSecret = async (secret: string): Promise<string> => {
    throw new Error(`${secret} was asked for`);
  };
  const publisher = new MqttPublisher({ name: new URL(url).host, url, fetchSecret, ...rest });
  onTestFinished(() => publisher[Symbol.asyncDispose]());
  return publisher;
}
