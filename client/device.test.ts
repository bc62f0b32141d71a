import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type CommandMessage, encodeCommand, readReply } from "../scheme/command/command-message.ts";
import { defineScheme } from "../scheme/define-scheme.ts";
import { startLossyLine } from "../test/support/lossy-line.ts";
import { startGenerated, type TestBroker } from "../test/support/mosquitto.ts";
import { connectAs, type TestClient } from "../test/support/mqtt-client.ts";
import { freePort } from "../test/support/ports.ts";
import { connect } from "./connect.ts";
import type { DeviceCommand } from "./device/arrival.ts";
import type { DeviceError } from "./device/device-error.ts";
import type { DeviceOptions } from "./device/device-options.ts";
import { openFileStore } from "./device/file-store.ts";
import { memoryStore } from "./device/testing.ts";
import { Device } from "./device.ts";

const scheme = defineScheme({
  name: "device",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  brokers: [{ url: "mqtt://127.0.0.1:1883" }],
});
const commands = { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" };
const location = "v1/drivers/{deviceId}/location";
const issuedAt = Date.parse("2026-01-31T12:00:00Z");

let broker: TestBroker;
let devices = 0;

beforeAll(async () => {
  broker = await startGenerated(scheme, () => ({ services: { engine: "trestle.engine", publisher: "trestle.push" } }));
});

afterAll(() => broker[Symbol.asyncDispose]());

describe("what a device sends", () => {
  test("is an envelope, with a message id of its own at QoS 1", async () => {
    await using world = await World.open();
    await using device = await world.device();
    await device.publish(location, { header: { "content-type": "application/json" }, body: { lat: 52.5 } });
    await device.publish(`v1/drivers/${device.deviceId}/health`, { body: "fine" }, { qos: 0 });
    await world.engine.until(({ topic }) => topic.endsWith("/health"));

    const [sent, health] = world.engine.messages.map(({ payload }) => JSON.parse(payload.toString()));
    expect(sent).toEqual({
      header: { "content-type": "application/json", "Idempotency-Key": expect.stringMatching(/^[0-9a-f-]{36}$/) },
      body: { lat: 52.5 },
    });
    expect(health).toEqual({ header: {}, body: "fine" });
  });

  test("arrives in order, however often the connection is lost meanwhile", async () => {
    await using world = await World.open();
    await using line = await startLossyLine(broker.port);
    await using device = await world.device({ reconnectDelay: { minMs: 1, maxMs: 20 } }, line.port);
    const published: Promise<void>[] = [];
    for (let each = 0; each < 100; each++) {
      if (each % 25 === 10) line.lose();
      published.push(device.publish(location, { body: each }));
      if (each % 5 === 4) await nextTurn(); // lets some of them out
      if (each % 25 === 20) {
        line.cut();
        expect(device.unacknowledgedCount).toBeGreaterThan(0);
      }
    }
    await Promise.all(published);
    await world.engine.until(({ payload }) => payload.toString().includes('"body":99'));

    const arrived = world.engine.messages.map(({ payload }) => JSON.parse(payload.toString()));
    const keys = new Set(arrived.map(({ header }) => header["Idempotency-Key"]));
    const bodies = arrived.map(({ body }) => body as number);
    expect([...new Set(bodies)]).toEqual(Array.from({ length: 100 }, (_, each) => each));
    expect(keys.size).toBe(100); // a duplicate has the key of the first
    expect(device.unacknowledgedCount).toBe(0);
  });

  test("waits in the store for the next start, which sends it before what is newer", async () => {
    await using world = await World.open();
    const store = memoryStore();
    const deviceId = newId();
    const url = `mqtt://127.0.0.1:${await freePort()}`; // nobody listens there
    const offline = await Device.connect(url, { deviceId, store, mayStartOffline: true, closeTimeoutMs: 1 });
    const lost = offline.publish(location, { body: "kept" });
    expect(await offline.close()).toMatchObject([{ topic: `v1/drivers/${deviceId}/location` }]);
    await expect(lost).rejects.toMatchObject({ code: "MESSAGE_LOST" });

    await using device = await world.device({ deviceId, store });
    await device.publish(location, { body: "new" });
    await world.engine.until(({ payload }) => payload.toString().includes("new"));
    expect(world.engine.texts.map((text) => /"body":"(\w+)"/.exec(text)?.[1])).toEqual(["kept", "new"]);
    await device.close();
    expect(store.values.size).toBe(0);
  });

  test("goes out as soon as there is a broker, where the device started without one", async () => {
    await using own = await startGenerated(scheme, () => ({}));
    await own.kill(); // a SIGTERM gets lost right after its start
    const options = { deviceId: "d1", reconnectDelay: { minMs: 1, maxMs: 20 } };
    await expect(Device.connect(own.url, options)).rejects.toMatchObject({ code: "CLIENT_UNREACHABLE" });
    await using device = await Device.connect(own.url, { ...options, mayStartOffline: true });
    const published = device.publish(location, { body: 1 });
    expect(device.isConnected).toBe(false);
    await own.start();
    await published;
  });

  test("is refused where the broker would never take it, and where too much waits", async () => {
    await using world = await World.open();
    await using device = await world.device({ maxUnacknowledged: 2 });
    const body = 1;
    await expect(device.publish("v1/+/location", { body })).rejects.toMatchObject({ code: "TOPIC_INVALID" });
    await expect(device.publish(location, { header: { "a b": "" }, body })).rejects.toMatchObject({
      code: "HEADER_NAME_INVALID",
    });
    const all = [1, 2, 3].map(() => device.publish(location, { body }));
    await expect(all[2]).rejects.toMatchObject({ code: "BACKLOG_FULL" });
    await Promise.all(all.slice(0, 2));
    await expect(device.publish("v1/drivers/other/location", { body })).rejects.toMatchObject({
      code: "MESSAGE_REFUSED", // by the broker's ACL
    });
    expect(world.problems).toEqual(["MESSAGE_REFUSED"]);
  });

  test("is left at the end of the time for the closing, and told", async () => {
    await using world = await World.open();
    await using line = await startLossyLine(broker.port);
    const device = await world.device({ closeTimeoutMs: 50 }, line.port);
    line.lose();
    const lost = device.publish(location, { body: "lost" });
    const left = await device.close();
    expect(left.map(({ payload }) => JSON.parse(payload.toString()).body)).toEqual(["lost"]);
    await expect(lost).rejects.toMatchObject({ code: "MESSAGE_LOST" });
    await expect(device.publish(location, { body: 1 })).rejects.toMatchObject({ code: "DEVICE_CLOSED" });
    expect(world.problems).toEqual(["MESSAGE_LOST"]);
  });
});

describe("a command", () => {
  test("is handled and answered with what the handler gives back", async () => {
    await using world = await World.open();
    await using device = await world.device({}, undefined, async ({ body }) => ({ did: body }));
    await world.send(device, { commandId: "c1", body: '{"n":1}' });
    expect(await world.replies(device, 1)).toEqual([{ commandId: "c1", status: "succeeded", body: '{"did":{"n":1}}' }]);
    expect(world.handled).toMatchObject([{ id: "c1", kind: "request", issuedAt, body: { n: 1 }, text: '{"n":1}' }]);
  });

  test.for([
    ["what is thrown", (): unknown => Promise.reject(new Error("no fix")), '"no fix"'],
    ["a result that is no JSON", (): unknown => 1n, '"the body is no JSON: Do not know how to serialize a BigInt"'],
    [
      "a result that is too large",
      (): unknown => "x".repeat(131_072),
      '"the payload has 131074 bytes, the limit is 131072"',
    ],
  ] as const)("is answered failed with the reason: %s", async ([, onCommand, body]) => {
    await using world = await World.open();
    await using device = await world.device({}, undefined, onCommand);
    await world.send(device, { commandId: "c1" });
    expect(await world.replies(device, 1)).toEqual([{ commandId: "c1", status: "failed", body }]);
  });

  test("is the first thing that a device hears, retained, and is handled once through all its copies", async () => {
    await using world = await World.open();
    await using line = await startLossyLine(broker.port);
    const deviceId = newId();
    const state = { commandId: "c1", kind: "state", version: 7 } as const;
    await world.send({ deviceId }, state, true);
    await using device = await world.device({ deviceId, reconnectDelay: { minMs: 1, maxMs: 20 } }, line.port);
    await world.replies(device, 1);
    await device.publish(location, { body: 1 }); // by whose acknowledgement the answer has had its own

    await world.send(device, state); // the sweeper's
    await world.replies(device, 2);
    await device.publish(location, { body: 2 });
    line.cut(); // and the retained copy again
    expect(await world.replies(device, 3)).toEqual(Array(3).fill({ commandId: "c1", status: "succeeded", body: "1" }));
    expect(world.handled).toMatchObject([{ id: "c1", version: 7 }]);
  });

  test("that is being handled is not answered twice, and does not stop what the device sends", async () => {
    await using world = await World.open();
    const handling = Promise.withResolvers<string>();
    await using device = await world.device({}, undefined, () => handling.promise);
    for (const commandId of ["c1", "c1", "c2", "c1"]) await world.send(device, { commandId });
    await world.until(() => world.handled.length === 1);
    await device.publish(location, { body: 1 });
    expect(world.handled.map(({ id }) => id)).toEqual(["c1"]); // c2 waits for its turn

    handling.resolve("done");
    const replies = await world.replies(device, 2);
    expect(replies.map(({ commandId }) => commandId)).toEqual(["c1", "c2"]);
    await device.close();
    expect(await world.replies(device, 2)).toHaveLength(2);
  });

  test("gets its answer through a lost connection, once for all duplicates until then", async () => {
    await using world = await World.open();
    await using line = await startLossyLine(broker.port);
    await using device = await world.device({ reconnectDelay: { minMs: 1, maxMs: 20 } }, line.port);
    line.lose();
    await world.send(device, { commandId: "c1" });
    await world.until(() => world.handled.length === 1);
    for (const commandId of ["c1", "c1", "c2"]) await world.send(device, { commandId });
    await world.until(() => world.handled.length === 2);
    expect(device.unacknowledgedCount).toBeGreaterThan(0);
    line.cut();
    await world.replies(device, 2);
    await device.close();
    const replies = await world.replies(device, 2);
    expect(replies.map(({ commandId }) => commandId)).toEqual(["c1", "c2"]);
  });

  test("of an older version is dropped after a newer one, and while it waits; so is another one of the same", async () => {
    await using world = await World.open();
    const first = Promise.withResolvers<void>();
    await using device = await world.device({}, undefined, ({ id }) => (id === "v3" ? first.promise : undefined));
    const kind = "state";
    await world.send(device, { commandId: "v3", kind, version: 3 });
    for (const version of [2, 4, 5, 3]) await world.send(device, { commandId: `v${version}b`, kind, version });
    await world.send(device, { commandId: "v5c", kind, version: 5 });
    await world.send(device, { commandId: "last" });
    await device.publish(location, { body: 1 });
    first.resolve();
    const replies = await world.replies(device, 3);
    expect(replies.map(({ commandId }) => commandId)).toEqual(["v3", "v5b", "last"]);
    expect(world.handled.map(({ id }) => id)).toEqual(["v3", "v5b", "last"]);
  });

  test("is not handled after it expired, also while it waits", async () => {
    await using world = await World.open();
    const first = Promise.withResolvers<void>();
    let now = issuedAt;
    await using device = await world.device({ now: () => now }, undefined, ({ id }) =>
      id === "slow" ? first.promise : undefined,
    );
    await world.send(device, { commandId: "late", expiresAt: issuedAt });
    await world.send(device, { commandId: "slow", expiresAt: issuedAt + 1 });
    await world.send(device, { commandId: "waits", expiresAt: issuedAt + 1 });
    await world.send(device, { commandId: "last", expiresAt: issuedAt + 2 });
    await world.until(() => world.handled.length === 1);
    await device.publish(location, { body: 1 });
    now = issuedAt + 1;
    first.resolve();
    const replies = await world.replies(device, 2);
    expect(replies.map(({ commandId }) => commandId)).toEqual(["slow", "last"]);
  });

  test("that was taken back is none", async () => {
    await using world = await World.open();
    await using device = await world.device();
    await world.push.publish(`Push/SDKControls/${device.deviceId}`, "", { retain: true });
    await world.send(device, { commandId: "after" });
    await world.replies(device, 1);
    expect(world.handled.map(({ id }) => id)).toEqual(["after"]);
    expect(world.problems).toEqual([]);
  });

  test("that is malformed is told, and answered where it says which it is", async () => {
    await using world = await World.open();
    await using device = await world.device();
    const topic = `Push/SDKControls/${device.deviceId}`;
    for (const payload of ["{", '{"header":{},"body":1}', '{"header":{"commandId":"c1","kind":"wish"},"body":1}']) {
      await world.push.publish(topic, payload);
    }
    await world.send(device, { commandId: "good" });
    expect(await world.replies(device, 2)).toEqual([
      { commandId: "c1", status: "failed", body: expect.stringContaining("not state or request") },
      { commandId: "good", status: "succeeded", body: "1" },
    ]);
    expect(world.problems).toEqual(["COMMAND_INVALID", "COMMAND_INVALID", "COMMAND_INVALID"]);
  });

  test("is not handled again after a restart, and gets its answer again", async () => {
    await using world = await World.open();
    const deviceId = newId();
    const folder = await mkdtemp(join(tmpdir(), "trestle-device-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await world.send({ deviceId }, { commandId: "c2", kind: "state", version: 2 }, true);
    const before = await world.device({ deviceId, store: await openFileStore(folder) }, undefined, () => "before");
    await world.replies(before, 1);
    await before.close();

    await using device = await world.device({ deviceId, store: await openFileStore(folder) }, undefined, () => "after");
    await world.send(device, { commandId: "c1", kind: "state", version: 1 });
    await world.send(device, { commandId: "c3", kind: "state", version: 3 });
    const replies = await world.replies(device, 3);
    expect(replies.map(({ commandId, body }) => `${commandId} ${body}`)).toEqual([
      'c2 "before"',
      'c2 "before"',
      'c3 "after"',
    ]);
  });

  test("ends before the device does", async () => {
    await using world = await World.open();
    const device = await world.device({}, undefined, () => new Promise((resolve) => setImmediate(resolve, "done")));
    await world.send(device, { commandId: "c1" });
    await world.until(() => world.handled.length === 1);
    expect(await device.close()).toEqual([]);
    expect(await world.replies(device, 1)).toMatchObject([{ commandId: "c1", body: '"done"' }]);
  });

  describe.each([4, 5] as const)("of Client.request over MQTT %i", (protocolVersion) => {
    test.each([4, 5] as const)("is answered by a device over MQTT %i", async (version) => {
      await using world = await World.open();
      await using device = await world.device({ protocolVersion: version }, undefined, ({ body }) => ({ did: body }));
      await using client = await connect(broker.url, { username: "trestle.push", protocolVersion });
      const { deviceId } = device;
      // A device without MQTT 5 does not see its properties: the id has to be in the envelope.
      const form = version === 4 ? "envelope" : "properties";
      const options = { replyTopic: `Push/Replies/${deviceId}`, timeoutMs: 5_000, form } as const;
      const reply = await client.request(`Push/SDKControls/${deviceId}`, '{"n":1.50}', options);
      const { userProperties, payload } = reply;
      expect(readReply({ payload, userProperties })).toMatchObject({ status: "succeeded", body: '{"did":{"n":1.5}}' });
      expect(world.handled).toMatchObject([{ kind: "request", text: '{"n":1.50}' }]);
    });
  });
});

test("a device without commands only sends", async () => {
  await using device = await Device.connect(broker.url, { deviceId: newId() });
  await device.publish(location, { body: 1 });
  expect(device.client?.subscriptionCount).toBe(0);
});

function newId(): string {
  return `d${++devices}`;
}

/** The other side of a device: who publishes its commands and reads what it sends. */
class World implements AsyncDisposable {
  readonly push: TestClient;
  readonly engine: TestClient;
  readonly handled: DeviceCommand[] = [];
  readonly problems: string[] = [];
  #look: () => void = () => {};

  private constructor(push: TestClient, engine: TestClient) {
    this.push = push;
    this.engine = engine;
  }

  static async open(): Promise<World> {
    const world = new World(await connectAs(broker.url, "trestle.push"), await connectAs(broker.url, "trestle.engine"));
    await world.engine.subscribe(["v1/#", "Push/Replies/+"]);
    return world;
  }

  device(
    options: Partial<DeviceOptions> = {},
    port = broker.port,
    onCommand: (command: DeviceCommand) => unknown = () => 1,
  ): Promise<Device> {
    return Device.connect(`mqtt://127.0.0.1:${port}`, {
      deviceId: newId(),
      onProblem: ({ code }: DeviceError) => {
        this.problems.push(code);
        this.#look();
      },
      ...options,
      commands,
      onCommand: (command) => {
        this.handled.push(command);
        this.#look();
        return onCommand(command);
      },
    });
  }

  send(
    { deviceId }: Pick<Device, "deviceId">,
    command: Partial<CommandMessage> & Pick<CommandMessage, "commandId">,
    retain = false,
  ): Promise<void> {
    const payload = encodeCommand({ kind: "request", issuedAt, body: "null", ...command });
    return this.push.publish(`Push/SDKControls/${deviceId}`, payload, { retain });
  }

  /** Waits for that many replies of a device, and gives all that there are. */
  async replies({ deviceId }: Device, count: number) {
    const own = () => this.engine.messages.filter(({ topic }) => topic === `Push/Replies/${deviceId}`);
    await this.engine.until(() => own().length >= count);
    return own().map(({ payload }) => readReply({ payload }));
  }

  /** Waits for what a handler or a problem changes. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#look = resolve;
      await promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.push[Symbol.asyncDispose]();
    await this.engine[Symbol.asyncDispose]();
  }
}
