import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../test/support/ports.ts";
import type { Client } from "./client.ts";
import { connect } from "./connect.ts";
import type { Message } from "./message.ts";
import {
  connected,
  endOfTurn,
  freeze,
  handledLines,
  lasting,
  quickly,
  startAedes,
  startOpenBroker,
} from "./testing.ts";

/** Resolves when a lost connection has been made again. */
function reconnected(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const listening = client.onConnect(() => {
      listening[Symbol.dispose]();
      resolve();
    });
  });
}

function disconnected(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const listening = client.onDisconnect(() => {
      listening[Symbol.dispose]();
      resolve();
    });
  });
}

/** What a process that was frozen for longer than a keep-alive sees. */
function passTime(): void {
  const { now } = Date;
  vi.spyOn(Date, "now").mockImplementation(() => now() + 60_000);
  onTestFinished(() => void vi.restoreAllMocks());
}

/** How calls end: their values or their errors' codes. */
function outcomes(calls: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  return Promise.all(calls.map((call) => call.catch((error) => error.code)));
}

describe.each([4, 5] as const)("with MQTT version %i", (protocolVersion) => {
  test("a lost connection is made again, with what is subscribed to by then", async () => {
    const broker = await lasting(startOpenBroker());
    const client = await connected(broker.url, { ...quickly, protocolVersion });
    const heard: Message[] = [];
    await client.listen("kept/+", (message) => heard.push(message));
    await using subscription = await client.subscribe("also");
    await using given = await client.subscribe("given-back");
    const lost = disconnected(client);
    await broker.kill();
    await lost;
    expect(client.isConnected).toBe(false);
    const meanwhile = client.subscribe("meanwhile");
    await given[Symbol.asyncDispose]();
    const again = reconnected(client);
    await broker.start();
    await again;
    expect(client.isConnected).toBe(true);
    for (const topic of ["kept/a", "also", "meanwhile", "given-back"]) await client.publish(topic, "x");
    expect((await subscription.next()).value?.topic).toBe("also");
    expect((await (await meanwhile).next()).value?.topic).toBe("meanwhile");
    expect(heard.map(({ topic }) => topic)).toEqual(["kept/a"]);
    expect(client.subscriptionCount).toBe(3);
  });

  test("what is published while the broker is away is sent when it is back, in its order", async () => {
    const broker = await lasting(startOpenBroker());
    const client = await connected(broker.url, { ...quickly, protocolVersion });
    await using subscription = await client.subscribe("away");
    await broker.kill();
    const published = Array.from({ length: 50 }, (_, index) => client.publish("away", String(index)));
    await broker.start();
    await Promise.all(published);
    for (let index = 0; index < 50; index += 1) {
      expect(Number((await subscription.next()).value?.payload)).toBe(index);
    }
  });

  test("a message that was given up while the broker was away is never sent", async () => {
    const broker = await lasting(startOpenBroker());
    const client = await connected(broker.url, { ...quickly, protocolVersion });
    await broker.kill();
    await expect(client.publish("a", "given up", { timeoutMs: 20 })).rejects.toMatchObject({ code: "CLIENT_TIMEOUT" });
    await expect(client.request("q", "1", { replyTopic: "a", timeoutMs: 20 })).rejects.toMatchObject({
      code: "CLIENT_TIMEOUT",
    });
    const from = broker.lines.length;
    await broker.start();
    await client.publish("b", "after");
    const lines = await handledLines(broker, from);
    expect(lines.filter((line) => line.includes("Received PUBLISH"))).toEqual([expect.stringContaining("'b'")]);
    expect(lines.filter((line) => line.includes("Received SUBSCRIBE"))).toEqual([]);
  });

  test("a message that was given up on its way is not sent again on the next connection", async () => {
    const broker = await lasting(startOpenBroker());
    const client = await connected(broker.url, { ...quickly, protocolVersion });
    await freeze(broker);
    await expect(client.publish("a", "given up", { timeoutMs: 20 })).rejects.toMatchObject({ code: "CLIENT_TIMEOUT" });
    const waiting = client.publish("b", "on its way");
    await broker.kill();
    const from = broker.lines.length;
    await broker.start();
    await waiting;
    const lines = await handledLines(broker, from);
    expect(lines.filter((line) => line.includes("Received PUBLISH"))).toEqual([expect.stringContaining("'b'")]);
  });

  test("the broker is killed in the middle: everything settles, one way or the other", async () => {
    const broker = await lasting(startOpenBroker());
    const client = await connected(broker.url, { ...quickly, protocolVersion });
    const calls: readonly Promise<unknown>[] = Array.from({ length: 200 }, (_, index) => [
      client.publish(`p/${index}`, "x".repeat(10_000)),
      client.request(`q/${index}`, "1", { replyTopic: `a/${index % 10}`, timeoutMs: 2_000 }),
      client.receive(`r/${index % 10}`, { timeoutMs: 2_000 }),
    ]).flat();
    const ended = outcomes(calls);
    await broker.logged(/Received PUBLISH/);
    await broker.kill();
    await broker.start();
    const codes = new Set(await ended);
    expect(codes).toEqual(new Set([undefined, "CLIENT_TIMEOUT"]));
    await endOfTurn();
    expect(client.subscriptionCount).toBe(0);
  });

  test("the same where no connection is made again: everything settles at once", async () => {
    const broker = await lasting(startOpenBroker());
    const client = await connected(broker.url, { protocolVersion, isReconnecting: false });
    const subscription = await client.subscribe("s");
    const onEnd = vi.fn();
    await client.listen("l", () => {}, { onEnd });
    await freeze(broker);
    const calls = [
      client.publish("p", "x", { timeoutMs: 60_000 }),
      client.request("q", "1", { replyTopic: "a", timeoutMs: 60_000 }),
      client.receive("r", { timeoutMs: 60_000 }),
      client.subscribe("t", { timeoutMs: 60_000 }),
      client.readRetained("u", { timeoutMs: 60_000 }),
      subscription.next(),
    ];
    const ended = outcomes(calls);
    await broker.kill();
    expect(await ended).toEqual(calls.map(() => "CLIENT_DISCONNECTED"));
    expect(onEnd).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "CLIENT_DISCONNECTED" }));
    expect(await client.closed).toMatchObject({ code: "CLIENT_DISCONNECTED" });
    await expect(client.publish("p", "x")).rejects.toMatchObject({ code: "CLIENT_DISCONNECTED" });
  });

  test("a broker that is frozen is not alive; the next connection is made as soon as it is asked about", async () => {
    const broker = await lasting(startOpenBroker());
    // The next attempt would come in half a minute, on average.
    const reconnectDelay = { minMs: 60_000, maxMs: 60_000 };
    const client = await connected(broker.url, { protocolVersion, reconnectDelay });
    const goOn = await freeze(broker);
    passTime();
    expect(await client.checkAlive({ withinMs: 50 })).toBe(false);
    goOn();
    await client.publish("a", "x");
    expect(await client.checkAlive({ withinMs: 5_000 })).toBe(true);
  });

  test("a broker that is frozen does not keep the client from being closed", async () => {
    const broker = await lasting(startOpenBroker());
    const client = await connect(broker.url, { protocolVersion });
    const goOn = await freeze(broker);
    const published = outcomes([client.publish("a", "x")]);
    await client[Symbol.asyncDispose]();
    expect(await published).toEqual(["CLIENT_CLOSED"]);
    goOn();
  });

  test("a session that is kept brings what came meanwhile, to whoever takes what nobody asked for yet", async () => {
    const broker = await lasting(startOpenBroker());
    const session = { clientId: "kept", isClean: false, protocolVersion };
    const first = await connect(broker.url, session);
    await first.listen("commands/a", () => {});
    await first.listen("commands/+", () => {});
    await first[Symbol.asyncDispose]();
    const publisher = await connected(broker.url);
    await publisher.publish("commands/a", "meanwhile");
    const unclaimed = Promise.withResolvers<Message>();
    await connected(broker.url, { ...session, onUnclaimed: unclaimed.resolve });
    expect((await unclaimed.promise).payload.toString()).toBe("meanwhile");
  });

  test("a session that is kept is rid of what was given back while there was no connection", async () => {
    const broker = await lasting(startOpenBroker("persistence false"));
    const client = await connected(broker.url, { ...quickly, clientId: "kept", isClean: false, protocolVersion });
    await using given = await client.subscribe("given/+");
    await using _ = await client.subscribe("had");
    const lost = disconnected(client);
    const again = reconnected(client);
    const from = broker.lines.length;
    // Another connection of the same session, which ends this one without a word of its own.
    const goOn = await freeze(broker);
    passTime();
    expect(await client.checkAlive({ withinMs: 20 })).toBe(false);
    await lost;
    await given[Symbol.asyncDispose]();
    await endOfTurn();
    goOn();
    await again;
    const lines = await handledLines(broker, from);
    expect(lines.filter((line) => line.includes("Received UNSUBSCRIBE from kept"))).toHaveLength(1);
    expect(client.subscriptionCount).toBe(1);
  });

  test("nothing is made again once the client is closed, even while it waits for the next attempt", async () => {
    const broker = await lasting(startOpenBroker());
    const client = await connect(broker.url, { protocolVersion });
    const lost = disconnected(client);
    await broker.kill();
    await lost;
    await client[Symbol.asyncDispose]();
    const from = broker.lines.length;
    await broker.start();
    expect((await handledLines(broker, from)).filter((line) => line.includes(client.clientId))).toEqual([]);
  });
});

test("a message that the broker ends the connection for is given up with the second one, the others go on", async () => {
  // MQTT 3.1.1 has no way to say how much a broker takes.
  const broker = await lasting(startOpenBroker("max_packet_size 1000"));
  const client = await connected(broker.url, { ...quickly, protocolVersion: 4 });
  const tooLarge = client.publish("a", "x".repeat(2_000));
  await expect(tooLarge).rejects.toMatchObject({ code: "CLIENT_DISCONNECTED", isRetryable: true });
  await client.publish("a", "x");
});

test("a client whose id another one has taken stays away", async () => {
  let connections = 0;
  const url = await scriptedBroker((socket) => {
    connections += 1;
    // CONNACK and DISCONNECT "session taken over" of MQTT 5.
    socket.write(Buffer.from([0x20, 3, 0, 0, 0, 0xe0, 1, 0x8e]));
    socket.end();
  });
  const client = await connected(url, quickly);
  expect(await client.closed).toMatchObject({ code: "CLIENT_DISCONNECTED", reasonCode: 0x8e });
  expect(connections).toBe(1);
});

test("a broker that refuses a later connection is asked again", async () => {
  let refusals = 0;
  const aedes = await lasting(
    startAedes({ authenticate: (_client, _name, _word, done) => done(null, refusals === 0 || refusals-- < 0) }),
  );
  const client = await connected(aedes.url, { ...quickly, isReconnecting: true });
  refusals = 3;
  passTime();
  const again = reconnected(client);
  // No answer comes in no time.
  await client.checkAlive({ withinMs: 0 });
  await again;
  expect(refusals).toBe(0);
});

test("a message that has not left the process when it is given up goes with its connection", async () => {
  const url = await scriptedBroker((socket) => {
    socket.write(connack);
    // The kernel's buffers fill up.
    socket.pause();
  });
  const client = await connected(url, { protocolVersion: 4, isReconnecting: false });
  const published = client.publish("a", Buffer.alloc(32 * 1024 * 1024), { timeoutMs: 50 });
  await expect(published).rejects.toMatchObject({ code: "CLIENT_TIMEOUT" });
  expect(await client.closed).toMatchObject({ code: "CLIENT_DISCONNECTED" });
});

test("a broker that acknowledges nothing is left for another connection before no message may be sent", async () => {
  let connections = 0;
  const url = await scriptedBroker((socket) => {
    connections += 1;
    socket.write(connack);
  });
  const client = await connected(url, { ...quickly, protocolVersion: 4, maxInFlight: 10 });
  const again = reconnected(client);
  await outcomes(Array.from({ length: 20 }, (_, index) => client.publish("a", String(index), { timeoutMs: 20 })));
  await again;
  expect(connections).toBe(2);
});

/** CONNACK of MQTT 3.1.1. */
const connack = Buffer.from([0x20, 2, 0, 0]);

/** Something that is told of each connection once its CONNECT has come. */
async function scriptedBroker(connected: (socket: Socket) => void): Promise<string> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("data", () => connected(socket));
    socket.on("error", () => {});
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `mqtt://127.0.0.1:${port}`;
}
