import { EventEmitter, once } from "node:events";
import { createServer } from "node:net";
import { Aedes, type AedesOptions } from "aedes";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startMosquitto, type TestBroker } from "../test/support/mosquitto.ts";
import { connectAs } from "../test/support/mqtt-client.ts";
import { freePort } from "../test/support/ports.ts";
import { BrokerConnection, type BrokerOptions } from "./broker-connection.ts";
import type { IncomingMessage } from "./engine.ts";
import { RuleFailure } from "./rule.ts";

let broker: TestBroker;
let connections = 0;

beforeAll(async () => {
  broker = await startMosquitto(
    ({ port, user }) =>
      new Map([
        [
          "mosquitto.conf",
          `user ${user}\nlistener ${port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type all\n`,
        ],
      ]),
  );
});

afterAll(() => broker[Symbol.asyncDispose]());

/** Takes messages as a test says: each is accepted when its own promise is settled. */
class Inbox {
  readonly messages: IncomingMessage[] = [];
  readonly log: string[] = [];
  readonly #arrivals = new EventEmitter();
  readonly #settlements: PromiseWithResolvers<void>[] = [];
  /** Whether messages are accepted at once. */
  isOpen: boolean;

  constructor({ isOpen = true }: { readonly isOpen?: boolean } = {}) {
    this.isOpen = isOpen;
  }

  accept = (message: IncomingMessage): Promise<void> => {
    const settlement = Promise.withResolvers<void>();
    this.messages.push(message);
    this.#settlements.push(settlement);
    if (this.isOpen) settlement.resolve();
    this.#arrivals.emit("message");
    return settlement.promise;
  };

  settle(index: number): PromiseWithResolvers<void> {
    const settlement = this.#settlements[index];
    if (settlement === undefined) throw new Error(`there is no message ${index}`);
    return settlement;
  }

  get texts(): readonly string[] {
    return this.messages.map(({ payload }) => Buffer.from(payload).toString());
  }

  async until(count: number): Promise<void> {
    while (this.messages.length < count) await once(this.#arrivals, "message");
  }
}

function optionsFor(inbox: Inbox, rest: Partial<BrokerOptions> = {}): BrokerOptions {
  return {
    url: broker.url,
    clientId: `engine-${connections++}`,
    topicFilters: ["v1/#"],
    accept: inbox.accept,
    log: (line) => inbox.log.push(line),
    askAgainMs: 20,
    ...rest,
  };
}

async function publish(text: string, options: object = {}, url = broker.url): Promise<void> {
  await using device = await connectAs(url, "d42", url === broker.url ? {} : { protocolVersion: 4 });
  await device.publish("v1/d42", text, options);
}

/** Waits for the PUBACK of a client in the broker's log, from a line on. */
function acknowledgement(clientId: string, from: number, messageId?: number): Promise<string> {
  return broker.logged(new RegExp(`Received PUBACK from ${clientId} \\(Mid: ${messageId ?? "\\d+"}[,)]`), from);
}

/** Deletes the session that the client left at the broker, so that its topics reach no later test. */
async function forget(clientId: string): Promise<void> {
  await using _ = await connectAs(broker.url, clientId, { clientId, clean: true });
}

test("a message is acknowledged once it is accepted, not before", async () => {
  const inbox = new Inbox({ isOpen: false });
  const options = optionsFor(inbox);
  const from = broker.lines.length;
  await using _ = await BrokerConnection.open(options);
  await publish("a");
  await inbox.until(1);
  // The broker has read all that the engine sent before it reads this.
  await publish("b");
  await inbox.until(2);
  expect(broker.lines.slice(from).filter((line) => line.includes(`PUBACK from ${options.clientId}`))).toEqual([]);
  const acknowledged = acknowledgement(options.clientId, from, 1);
  inbox.settle(0).resolve();
  await acknowledged;
  expect(
    broker.lines.slice(from).filter((line) => line.includes(`Received PUBACK from ${options.clientId}`)),
  ).toHaveLength(1);
  await forget(options.clientId);
});

test("messages may be accepted in another order than they came in", async () => {
  const inbox = new Inbox({ isOpen: false });
  const options = optionsFor(inbox);
  const from = broker.lines.length;
  await using _ = await BrokerConnection.open(options);
  for (const text of ["a", "b", "c"]) await publish(text);
  await inbox.until(3);
  for (const index of [2, 0, 1]) {
    const acknowledged = acknowledgement(options.clientId, from, index + 1);
    inbox.settle(index).resolve();
    await acknowledged;
  }
  await forget(options.clientId);
});

test("a message that was not accepted before a crash comes again", async () => {
  const inbox = new Inbox({ isOpen: false });
  const options = optionsFor(inbox);
  const crashed = await BrokerConnection.open(options);
  await publish("a");
  await inbox.until(1);
  await crashed[Symbol.asyncDispose]();
  // Too late: the connection that it could be acknowledged on is gone.
  inbox.settle(0).resolve();

  inbox.isOpen = true;
  const second = await BrokerConnection.open(options);
  await inbox.until(2);
  await second.stop();

  const third = await BrokerConnection.open(options);
  await publish("b");
  await inbox.until(3);
  expect(inbox.texts).toEqual(["a", "a", "b"]);
  await third.stop();
  await forget(options.clientId);
});

test("what arrives while the engine is away comes when it is back", async () => {
  const inbox = new Inbox();
  const options = optionsFor(inbox);
  const first = await BrokerConnection.open(options);
  await first.stop();
  await publish("a");
  await using _ = await BrokerConnection.open(options);
  await inbox.until(1);
  expect(inbox.texts).toEqual(["a"]);
  await forget(options.clientId);
});

test("a message that nobody could keep is asked for again", async () => {
  const inbox = new Inbox({ isOpen: false });
  const options = optionsFor(inbox);
  await using _ = await BrokerConnection.open(options);
  await publish("a");
  await inbox.until(1);
  inbox.isOpen = true;
  const from = broker.lines.length;
  inbox.settle(0).reject(new Error("database or disk is full"));
  await inbox.until(2);
  await acknowledgement(options.clientId, from);
  expect(inbox.texts).toEqual(["a", "a"]);
  expect(inbox.log).toContain("not taken: database or disk is full");
  await forget(options.clientId);
});

test("a message that can never be taken is acknowledged, so that it does not come again", async () => {
  const inbox = new Inbox({ isOpen: false });
  const options = optionsFor(inbox);
  await using _ = await BrokerConnection.open(options);
  await publish("a");
  await inbox.until(1);
  const acknowledged = acknowledgement(options.clientId, broker.lines.length);
  inbox.settle(0).reject(new RuleFailure("acme_orders: too large", false));
  await acknowledged;
  expect(inbox.log).toEqual(["lost: acme_orders: too large"]);
  await forget(options.clientId);
});

test("what was taken on a connection before is not acknowledged on this one", async () => {
  const inbox = new Inbox({ isOpen: false });
  const options = optionsFor(inbox);
  const connection = await BrokerConnection.open(options);
  for (const text of ["a", "b"]) await publish(text);
  await inbox.until(2);
  inbox.settle(1).reject(new Error("database or disk is full"));
  await inbox.until(4);
  // Its packet identifier is another delivery's now.
  inbox.settle(0).resolve();
  await publish("c");
  await inbox.until(5);
  await connection[Symbol.asyncDispose]();
  inbox.isOpen = true;
  await using _ = await BrokerConnection.open(options);
  await inbox.until(8);
  expect(inbox.texts).toEqual(["a", "b", "a", "b", "c", "a", "b", "c"]);
  await forget(options.clientId);
});

test("a QoS 0 message that nobody could keep is gone, and the connection stays", async () => {
  const inbox = new Inbox({ isOpen: false });
  const options = optionsFor(inbox);
  await using _ = await BrokerConnection.open(options);
  await using device = await connectAs(broker.url, "d42");
  await device.publish("v1/d42", "a", { qos: 0 });
  await inbox.until(1);
  const from = broker.lines.length;
  inbox.settle(0).reject(new Error("20000 events wait"));
  inbox.isOpen = true;
  await publish("b");
  await inbox.until(2);
  await acknowledgement(options.clientId, from);
  expect(inbox.texts).toEqual(["a", "b"]);
  expect(inbox.log).toEqual(["not taken: 20000 events wait"]);
  await forget(options.clientId);
});

test("packets are read while messages wait to be accepted: the connection outlives its keepalive", async () => {
  const inbox = new Inbox({ isOpen: false });
  const options = optionsFor(inbox, { keepalive: 1 });
  await using _ = await BrokerConnection.open(options);
  await publish("a");
  await inbox.until(1);
  for (const ping of [1, 2]) {
    const from = broker.lines.length;
    await broker.logged(new RegExp(`Sending PINGRESP to ${options.clientId}`), from);
    await publish(`b${ping}`);
  }
  await inbox.until(3);
  expect(inbox.texts).toEqual(["a", "b1", "b2"]);
  expect(inbox.log).toEqual([]);
  await forget(options.clientId);
});

test("MQTT 5 properties come along", async () => {
  const inbox = new Inbox();
  const options = optionsFor(inbox);
  await using _ = await BrokerConnection.open(options);
  await publish("a", {
    properties: {
      contentType: "application/json",
      responseTopic: "Push/Replies/d42",
      correlationData: Buffer.from([0xff, 0x00]),
      payloadFormatIndicator: true,
      userProperties: { "x-a": ["1", "2"], constructor: "c" },
    },
  });
  await publish("b");
  await inbox.until(2);
  expect(inbox.messages[0]).toEqual({
    topic: "v1/d42",
    payload: Buffer.from("a"),
    mqttProperties: {
      contentType: "application/json",
      responseTopic: "Push/Replies/d42",
      correlationData: "/wA=",
      payloadFormatIndicator: "UTF8_DATA",
    },
    userProperties: [
      ["x-a", "1"],
      ["x-a", "2"],
      ["constructor", "c"],
    ],
  });
  expect(inbox.messages[1]).toEqual({ topic: "v1/d42", payload: Buffer.from("b") });
  await forget(options.clientId);
});

test("messages that were retained before are not taken; one published with RETAIN is", async () => {
  await publish("stale", { retain: true });
  const inbox = new Inbox();
  const options = optionsFor(inbox);
  await using _ = await BrokerConnection.open(options);
  await publish("live", { retain: true });
  await inbox.until(1);
  expect(inbox.texts).toEqual(["live"]);
  await publish("", { retain: true });
  await forget(options.clientId);
});

test("stop acknowledges what was taken; what comes meanwhile stays at the broker", async () => {
  const inbox = new Inbox({ isOpen: false });
  const options = optionsFor(inbox);
  const first = await BrokerConnection.open(options);
  await publish("a");
  await inbox.until(1);
  const stopped = first.stop();
  const from = broker.lines.length;
  await publish("b");
  await broker.logged(new RegExp(`Sending PUBLISH to ${options.clientId}`), from);
  inbox.settle(0).resolve();
  await stopped;
  await acknowledgement(options.clientId, from, 1);

  inbox.isOpen = true;
  await using _ = await BrokerConnection.open(options);
  await inbox.until(2);
  expect(inbox.texts).toEqual(["a", "b"]);
  await forget(options.clientId);
});

test("stop and disposal end while the broker is away", async () => {
  await using away = await embeddedBroker();
  const connection = await BrokerConnection.open(optionsFor(new Inbox(), { url: away.url }));
  await away[Symbol.asyncDispose]();
  await connection.stop();
  await connection[Symbol.asyncDispose]();
});

test("a broker without MQTT 5 is spoken to in MQTT 3.1.1", async () => {
  await using old = await embeddedBroker();
  await publish("stale", { retain: true }, old.url);
  const inbox = new Inbox();
  await using _ = await BrokerConnection.open(optionsFor(inbox, { url: old.url }));
  await publish("live", {}, old.url);
  await inbox.until(1);
  expect(inbox.messages).toEqual([{ topic: "v1/d42", payload: Buffer.from("live") }]);
  expect(inbox.log).toContain(`${old.url} has no MQTT 5: user properties of messages are not seen`);
});

test("a broker that refuses a later connection is asked again", async () => {
  let refusals = 1;
  let isUp = true;
  await using old = await embeddedBroker({
    authenticate: (_client, _username, _password, done) => done(null, isUp || refusals-- <= 0),
  });
  const inbox = new Inbox();
  await using _ = await BrokerConnection.open(optionsFor(inbox, { url: old.url, clientId: "engine" }));
  isUp = false;
  old.disconnect("engine");
  await old.connected("engine");
  isUp = true;
  await publish("a", {}, old.url);
  await inbox.until(1);
  expect(refusals).toBeLessThan(1);
});

test.for([
  ["nobody listens", async () => `mqtt://127.0.0.1:${await freePort()}`, "ECONNREFUSED"],
  [
    "the engine may not connect",
    async () => (await lasting({ authenticate: (_c, _u, _p, done) => done(null, false) })).url,
    "Not authorized",
  ],
  [
    "the engine may not subscribe",
    async () => (await lasting({ authorizeSubscribe: (_c, _s, done) => done(null, null) })).url,
    "refuses a subscription to v1/#",
  ],
] as const)("does not start where %s", async ([, url, reason]) => {
  const address = await url();
  await expect(BrokerConnection.open(optionsFor(new Inbox(), { url: address }))).rejects.toMatchObject({
    code: "ERR_BROKER",
    message: expect.stringMatching(new RegExp(`^${address}: .*${reason}`)),
  });
});

interface EmbeddedBroker extends AsyncDisposable {
  readonly url: string;
  /** Ends a client's connection. */
  disconnect(clientId: string): void;
  /** Resolves when a client connects. */
  connected(clientId: string): Promise<void>;
}

/** Aedes, which speaks MQTT 3.1.1 only. */
async function embeddedBroker(options: AedesOptions = {}): Promise<EmbeddedBroker> {
  const aedes = await Aedes.createBroker(options);
  const server = createServer(aedes.handle);
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  let isOpen = true;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    disconnect: (clientId) => {
      (aedes as unknown as { clients: Record<string, { conn: { destroy(): void } }> }).clients[
        clientId
      ]?.conn.destroy();
    },
    connected: async (clientId) => {
      for (;;) {
        const [client] = await once(aedes, "clientReady");
        if (client.id === clientId) return;
      }
    },
    [Symbol.asyncDispose]: async () => {
      if (!isOpen) return;
      isOpen = false;
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** One that goes with the test. */
async function lasting(options: AedesOptions): Promise<EmbeddedBroker> {
  const embedded = await embeddedBroker(options);
  onTestFinished(() => embedded[Symbol.asyncDispose]());
  return embedded;
}
