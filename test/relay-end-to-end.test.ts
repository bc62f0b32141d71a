import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { deadLettersCommand } from "../operate/dead-letters-command.ts";
import { ledgerCommand } from "../operate/ledger-command.ts";
import { testTerminal } from "../operate/testing.ts";
import { mosquittoPub } from "./support/mosquitto-clients.ts";
import { connectAs } from "./support/mqtt-client.ts";
import { passwordOf } from "./support/passwords.ts";
import { asDevice, Way } from "./support/way.ts";

// As end-to-end.test.ts, by the relay: Mosquitto with its generated configuration, relay, IoT Core's stand-in, engine with the
// synthesized template and its bundles, an API.

const configFile = fileURLToPath(new URL("frames.config.ts", import.meta.url));
let way: Way;

beforeAll(async () => {
  way = await Way.open({ configFile, devices: ["d42", "d43"], secrets: {}, uplink: "relay" });
  return async () => await way[Symbol.asyncDispose]();
});

beforeEach(() => {
  way.api.requests.splice(0);
});

const odd = '{ "a":1.0,"n" : 12345678901234567890,\n"e":1e400, "s":"\\u00e9 \\ud800","é":"\u{1f69a}",  "a":-0 }';
const binary = Buffer.concat([Buffer.from([0x00, 0x0a, 0xff, 0xc3, 0x28, 0x7b]), randomBytes(1000)]);
/** As large as IoT Core takes, and not to be compressed: a frame would be larger. */
const largest = randomBytes(131_072);
const location = "v1/drivers/d42/location";
const health = "v1/drivers/d42/health";
const own = ["-V", "mqttv5", "-D", "publish", "user-property", "x-trip", "7"];

test.for<
  readonly [what: string, topic: string, payload: string | Buffer, body: string | Buffer, options: readonly string[]]
>([
  ["JSON in an envelope, over MQTT 3.1.1", location, `{"body":${odd},"header":{}}`, odd, ["-V", "mqttv311"]],
  ["JSON in an envelope, over MQTT 5", location, `{"body":${odd},"header":{}}`, odd, ["-V", "mqttv5"]],
  ["JSON beside user properties", location, odd, odd, own],
  ["bytes beside user properties", location, binary, binary, own],
  ["131,072 bytes beside user properties", location, largest, largest, own],
  ["QoS 0", health, `{"header":{},"body":${odd}}`, odd, ["-q", "0"]],
])("%s become a request with the bytes of the body", async ([, topic, payload, body, options]) => {
  const args = [...asDevice("d42"), "-q", "1", ...options, "-t", topic, "-s"];
  expect(await mosquittoPub(way.edge.port, args, Buffer.from(payload))).toEqual({ code: 0, output: "" });
  const [request] = await way.api.take(1);
  expect(request).toMatchObject({ method: "POST", path: `/${topic}` });
  expect(request?.body.equals(Buffer.from(body))).toBe(true);
  expect(request?.headers).toMatchObject({
    "x-device-id": "d42",
    "x-mqtt-topic": topic,
    "x-mqtt-qos": topic === health ? "0" : "1",
    "x-attempt": "1",
    "idempotency-key": expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
  });
  if (options === own) expect(request?.headers["x-trip"]).toBe("7");
  expect(Math.abs(Date.now() - Date.parse(request?.headers["x-received-at"] ?? ""))).toBeLessThan(60_000);
});

const tooLarge = randomBytes(262_144);

test("1,000 good messages are delivered, and the oversize and illegal ones between them are dead letters with their bytes", async () => {
  await using device = await connectAs(way.edge.url, "d42", { password: passwordOf("d42") });
  const illegal = [
    { reason: "PAYLOAD_TOO_LARGE", payload: tooLarge, properties: {} },
    {
      reason: "PROPERTIES_TOO_LARGE",
      payload: Buffer.from("p"),
      properties: { userProperties: { k: "x".repeat(8_192) } },
    },
  ];
  const publishing = Array.from({ length: 1_000 }, async (_, n) => {
    const bad = n % 500 === 250 ? illegal[Math.floor(n / 500)] : undefined;
    if (bad !== undefined) await device.publish(location, bad.payload, { properties: bad.properties });
    await device.publish(location, JSON.stringify({ header: {}, body: `good ${n}` }));
  });
  await Promise.all(publishing);
  const requests = await way.api.take(1_000);
  expect(new Set(requests.map(({ body }) => body.toString()))).toEqual(
    new Set(Array.from({ length: 1_000 }, (_, n) => `good ${n}`)),
  );
  expect(new Set(requests.map(({ headers }) => headers["idempotency-key"])).size).toBe(1_000);

  for (const { reason, payload } of illegal) {
    await expect.poll(() => listLetters("--reason", reason), { timeout: 20_000 }).toHaveLength(1);
    const [id = ""] = await listLetters("--reason", reason);
    const shown = await letters("show", id);
    expect(shown.find((line) => line.startsWith("reason"))).toContain("the limit of IoT Core is");
    const message = JSON.parse(shown.at(-1) ?? "") as { readonly data: string };
    expect(Buffer.from(message.data, "base64").equals(payload)).toBe(true);
  }
  await expect.poll(() => way.counts?.pending).toBe(0);
  const { terminal } = testTerminal();
  expect(await ledgerCommand(["--data", way.dataFolder], terminal)).toBe(true);
});

async function letters(...args: readonly string[]): Promise<readonly string[]> {
  const { terminal, lines } = testTerminal();
  expect(await deadLettersCommand([...args, "--data", way.dataFolder, "--config", configFile], terminal)).toBe(true);
  return lines();
}

/** Their ids. */
async function listLetters(...args: readonly string[]): Promise<readonly string[]> {
  const uuid = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/;
  return (await letters("list", ...args)).flatMap((line) => uuid.exec(line)?.[0] ?? []);
}
