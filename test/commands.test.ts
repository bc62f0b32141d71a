import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { Device } from "../client/device.ts";
import { firstHeard, mosquittoPub } from "./support/mosquitto-clients.ts";
import { passwordOf } from "./support/passwords.ts";
import { asDevice, Way } from "./support/way.ts";

const commands = { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" };

let way: Way;

beforeAll(async () => {
  way = await Way.open({
    configFile: fileURLToPath(new URL("commands.config.ts", import.meta.url)),
    devices: ["d1", "d2", "d3", "d4", "d5"],
    secrets: {},
  });
  return async () => await way[Symbol.asyncDispose]();
});

test("point 1: an offline device hears its newest command first, with RETAIN", async () => {
  // Clean session, MQTT 3.1.1; whether a message is retained, its topic and its payload.
  const connect = (count: number) =>
    firstHeard(way.edge.port, count, "%r %t %p", [
      ...[...asDevice("d1"), "-V", "mqttv311", "-q", "1"],
      ...["-t", "orders/+", "-t", "Push/SDKControls/d1"],
    ]);
  const first = await ask("POST", "/devices/d1/commands", { command: "track", args: { isTracking: true } });
  expect(first).toMatchObject({ status: 202, body: { state: "published", kind: "state", attempts: [{}] } });
  const [heard = ""] = await connect(1);
  expect(heard).toMatch(/^1 Push\/SDKControls\/d1 \{"header":\{"commandId":/);
  expect(heard).toContain(`"commandId":"${first.body.id}"`);
  expect(heard).toContain('"body":{"command":"track","args":{"isTracking":true}}');

  const second = await ask("POST", "/devices/d1/commands", { command: "track", args: { isTracking: false } });
  const [heardNext = ""] = await connect(1);
  expect(heardNext).toContain(`"commandId":"${second.body.id}"`);
  expect(second.body.version).toBeGreaterThan(first.body.version);
  expect((await ask("GET", `/commands/${first.body.id}`)).body).toMatchObject({ state: "superseded" });

  expect(await ask("DELETE", "/devices/d1/commands")).toMatchObject({ status: 202, body: { deviceId: "d1" } });
  await ask("POST", "/publish", { topic: "orders/marker", body: 1, retain: true });
  expect(await connect(1)).toEqual([expect.stringMatching(/^1 orders\/marker .*"body":1\}$/)]);
  expect((await ask("GET", `/commands/${second.body.id}`)).body).toMatchObject({ state: "cleared" });
});

test("a caller that waits is given the device's answer", async () => {
  await using device = await connectDevice("d2", ({ body }) => ({ did: body }));
  expect(device.isConnected).toBe(true);
  const command = { command: "locate", kind: "request", expiresIn: 60 };
  const answered = await ask("POST", "/devices/d2/commands?wait=20", command);
  expect(answered).toMatchObject({ status: 200, body: { state: "succeeded", reply: { status: "succeeded" } } });
  expect(answered.body.reply.body).toEqual({ did: { command: "locate" } });
  const failing = await ask("POST", "/devices/d3/commands?wait=1", command);
  expect(failing).toMatchObject({ status: 504, body: { code: "REPLY_TIMEOUT", command: { state: "published" } } });
});

test("an answer that nobody waits for comes by its rule, with its digits", async () => {
  const seen: string[] = [];
  await using device = await connectDevice("d4", ({ text }) => {
    seen.push(text);
    throw new Error("no GPS");
  });
  expect(device.isConnected).toBe(true);
  const { id } = (await ask("POST", "/devices/d4/commands", '{"command":"set","args":{"n":9007199254740993}}')).body;
  await expect
    .poll(async () => (await ask("GET", `/commands/${id}`)).body, { timeout: 20_000 })
    .toMatchObject({ state: "failed", reply: { status: "failed", body: expect.anything() } });
  expect(seen).toEqual(['{"command":"set","args":{"n":9007199254740993}}']); // push-37
});

test("a request that an offline device missed reaches it after its first message", async () => {
  const { id } = (await ask("POST", "/devices/d5/commands", { command: "locate", kind: "request" })).body;
  await using device = await connectDevice("d5", () => "here");
  // It is sent again at the earliest 5 s after it was sent, when the device is heard.
  const speaking = setInterval(() => {
    void device.publish("v1/drivers/{deviceId}/location", { body: { lat: 52.5 } });
  }, 1_000);
  try {
    await expect
      .poll(async () => (await ask("GET", `/commands/${id}`)).body, { timeout: 25_000, interval: 200 })
      .toMatchObject({ state: "succeeded", reply: { body: "here" } });
  } finally {
    clearInterval(speaking);
  }
});

test("a reply that is none is a dead letter", async () => {
  const dead = way.counts?.dead ?? 0;
  for (const payload of ["garbage", '{"header":{"commandId":"c9","status":"succeeded"},"body":1}']) {
    await mosquittoPub(way.edge.port, [...asDevice("d1"), "-q", "1", "-t", "Push/Replies/d1", "-m", payload]);
  }
  await expect.poll(() => way.counts?.dead, { timeout: 20_000 }).toBe(dead + 2);
});

test("push-30: a device that nobody has seen has its command waiting", async () => {
  const { status, body } = await ask("POST", "/devices/never-seen-device/commands", { command: "start", args: {} });
  expect({ status, state: body.state }).toEqual({ status: 202, state: "published" });
  expect((await ask("GET", "/devices/never-seen-device")).body).toMatchObject({ command: { id: body.id } });
});

test("nobody is answered without the token", async () => {
  const { status } = await fetch(`${way.pushApi.url}/devices/d1`);
  expect([401, 403]).toContain(status);
});

async function ask(method: string, path: string, body?: unknown): Promise<Asked> {
  const { url, token } = way.pushApi;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

interface Asked {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it has asked for.
  readonly body: any;
}

function connectDevice(deviceId: string, onCommand: NonNullable<Parameters<typeof Device.connect>[1]["onCommand"]>) {
  return Device.connect(way.edge.url, {
    deviceId,
    username: deviceId,
    password: passwordOf(deviceId),
    commands,
    onCommand,
  });
}
