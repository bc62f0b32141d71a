import { createHmac, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { mosquittoPub } from "./support/mosquitto-clients.ts";
import { connectAs } from "./support/mqtt-client.ts";
import { mutate } from "./support/mutate.ts";
import { passwordOf } from "./support/passwords.ts";
import { seededRandom } from "./support/random.ts";
import { type ProtocolVersion, publishPacket, RawClient } from "./support/raw-mqtt.ts";
import type { RecordedRequest } from "./support/recording-api.ts";
import { asDevice, Way } from "./support/way.ts";

const signingKey = randomBytes(32);

let way: Way;

beforeAll(async () => {
  way = await Way.open({
    configFile: fileURLToPath(new URL("end-to-end.config.ts", import.meta.url)),
    devices: ["d42", "d43", "d66"],
    secrets: { "crossing/api-key": "s3cret", "crossing/signing": `whsec_${signingKey.toString("base64")}` },
  });
  return async () => await way[Symbol.asyncDispose]();
});

// What a failed test has left is not the next one's.
beforeEach(() => {
  way.api.requests.splice(0);
});

/** What each part might print anew: digits, spacing, escapes, key order, duplicate keys. */
const odd = '{ "a":1.0,"n" : 12345678901234567890,\n"e":1e400, "s":"\\u00e9 \\ud800","é":"\u{1f69a}",  "a":-0 }';
const binary = Buffer.concat([Buffer.from([0x00, 0x0a, 0xff, 0xc3, 0x28, 0x7b]), randomBytes(1000)]);
const largest = Buffer.from(`{"header":{},"body":"${"A".repeat(131_072 - '{"header":{},"body":""}'.length)}"}`);

const json = "application/json";
const text = "text/plain; charset=utf-8";
const bytes = "application/octet-stream";
const location = "v1/drivers/d42/location";
const health = "v1/drivers/d42/health";
const own = ["-D", "publish", "user-property", "content-type", json];

test.for<
  readonly [
    what: string,
    version: "mqttv311" | "mqttv5",
    qos: 0 | 1,
    payload: string | Buffer,
    received: { readonly type: string; readonly body: string | Buffer; readonly topic?: string },
    options?: readonly string[],
  ]
>([
  ["JSON in an envelope", "mqttv311", 1, `{"body":${odd},"header":{}}`, { type: json, body: odd }],
  ["JSON in an envelope", "mqttv5", 1, ` {"header" : {}, "body":  ${odd} }\n`, { type: json, body: odd }],
  ["JSON beside user properties", "mqttv5", 1, odd, { type: json, body: odd }, own],
  [
    "bytes beside user properties",
    "mqttv5",
    1,
    binary,
    { type: bytes, body: binary },
    ["-D", "publish", "user-property", "a", "b"],
  ],
  ["bytes in base64", "mqttv311", 1, inBase64(binary), { type: bytes, body: binary }],
  ["a text", "mqttv311", 1, '{"header":{},"body":"Grüße, \\"d42\\""}', { type: text, body: 'Grüße, "d42"' }],
  [
    "a text of control characters",
    "mqttv5",
    1,
    '{"header":{},"body":"a\\u0000b\\u0008c"}',
    { type: text, body: "a\0b\bc" },
  ],
  ["131,072 bytes", "mqttv311", 1, largest, { type: text, body: largest.subarray(21, -2) }],
  ["131,072 bytes", "mqttv5", 0, largest, { type: text, body: largest.subarray(21, -2), topic: health }],
  ["JSON in an envelope", "mqttv311", 0, `{"header":{},"body":${odd}}`, { type: json, body: odd, topic: health }],
  ["JSON beside user properties", "mqttv5", 0, odd, { type: json, body: odd, topic: health }, own],
])("%s over %s at QoS %i becomes a request", async ([, version, qos, payload, received, options = []]) => {
  const { type, body, topic = location } = received;
  await publish("d42", topic, payload, ["-V", version, "-q", String(qos), ...options]);
  const { headers, ...request } = await takeOne();
  expect(request.method).toBe("POST");
  expect(request.path).toBe(`/${topic}`);
  expect(request.body.toString("latin1")).toBe(Buffer.from(body).toString("latin1"));
  expect(headers).toMatchObject({
    "content-type": type,
    "content-length": String(request.body.length),
    "x-api-key": "s3cret",
    "x-device-id": "d42",
    "x-mqtt-topic": topic,
    "x-mqtt-qos": String(qos),
    "x-attempt": "1",
    "idempotency-key": expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
    traceparent: expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-01$/),
  });
  expect(Math.abs(Date.now() - Date.parse(headers["x-received-at"] ?? ""))).toBeLessThan(60_000);
  const { "webhook-id": id, "webhook-timestamp": timestamp } = headers;
  expect(id).toBe(headers["idempotency-key"]);
  expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(60);
  const signature = createHmac("sha256", signingKey).update(`${id}.${timestamp}.`).update(request.body);
  expect(headers["webhook-signature"]).toBe(`v1,${signature.digest("base64")}`);
});

test("a route's own path and method are used", async () => {
  await publish("d42", "v1/drivers/d42/trips/7", '{"header":{},"body":{}}');
  expect(await takeOne()).toMatchObject({ method: "PUT", path: "/trips/7/of/d42" });
});

const claimed = {
  Authorization: "Bearer device-token",
  "X-Trip": "7",
  Host: "evil.example",
  "Content-Length": "1",
  "Transfer-Encoding": "chunked",
  Connection: "x-trip-2",
  "X-Trip-2": "8",
  Cookie: "session=1",
  "X-Forwarded-For": "10.0.0.1",
  "X-HTTP-Method-Override": "DELETE",
  "X-Api-Key": "guessed",
  "X-Device-Id": "d43",
  X_Device_Id: "d43",
  "X-Mqtt-Topic": "v1/drivers/d43/location",
  "X-Attempt": "9",
};

test.for([
  ["envelope", JSON.stringify({ header: claimed, body: 1 }), []],
  [
    "user properties",
    "1",
    Object.entries(claimed).flatMap(([name, value]) => ["-D", "publish", "user-property", name, value]),
  ],
] as const)("header fields of a device pass where it may set them: %s", async ([, payload, options]) => {
  await publish("d42", location, payload, ["-V", "mqttv5", ...options]);
  const { headers } = await takeOne();
  expect(headers).toMatchObject({
    authorization: "Bearer device-token",
    "x-trip": "7",
    host: way.api.host,
    "content-length": "1",
    "x-api-key": "s3cret",
    "x-device-id": "d42",
    "x-mqtt-topic": location,
    "x-attempt": "1",
  });
  expect(Object.keys(headers).sort().join(" ")).toBe(
    "authorization connection content-length content-type host idempotency-key traceparent webhook-id " +
      "webhook-signature webhook-timestamp x-api-key x-attempt " +
      "x-device-id x-mqtt-qos x-mqtt-topic x-received-at x-trip",
  );
});

test.for(["mqttv311", "mqttv5"])("a device cannot publish for another one, over %s", async (version) => {
  const received = way.counts?.received ?? 0;
  const lines = '{"header":{},"body":"forged"}\n'.repeat(3);
  await mosquittoPub(
    way.edge.port,
    [...asDevice("d43"), "-V", version, "-q", "1", "-t", location, "-l"],
    Buffer.from(lines),
  );
  await publish("d43", "v1/drivers/d43/location", '{"header":{},"body":"own"}', ["-V", version]);
  // One connection brings both to the engine, in order: what was published before would have been counted before.
  expect(await takeOne()).toMatchObject({ path: "/v1/drivers/d43/location", body: Buffer.from("own") });
  expect(way.counts?.received).toBe(received + 1);
});

test("pay-29: equal messages are three messages, unless the device names them", async () => {
  for (let count = 0; count < 3; count++) await publish("d42", location, '{"header":{},"body":"alive"}');
  const keys = (await way.api.take(3)).map(({ headers }) => headers["idempotency-key"]);
  expect(new Set(keys).size).toBe(3);

  const named = '{"header":{"Idempotency-Key":"m-1"},"body":"alive"}';
  for (const device of ["d42", "d43", "d42"]) await publish(device, `v1/drivers/${device}/location`, named);
  const scoped = (await way.api.take(3)).map(({ headers }) => headers["idempotency-key"]);
  expect(scoped.sort()).toEqual(["d42/m-1", "d42/m-1", "d43/m-1"]);
});

test("messages wait for the engine at the endpoint", async () => {
  await way.stopEngine();
  const bodies = Array.from({ length: 50 }, (_, index) => `waiting ${index}`);
  const from = way.cloud.broker.lines.length;
  const envelopes = bodies.map((body) => `${JSON.stringify({ header: {}, body })}\n`).join("");
  await mosquittoPub(way.edge.port, [...asDevice("d42"), "-q", "1", "-t", location, "-l"], Buffer.from(envelopes));
  await publish("d43", "v1/drivers/d43/location", '{"header":{},"body":"waiting last"}');
  await way.cloud.broker.logged(/Received PUBLISH from crossing-test-edge .*d43\/location/, from);

  await way.startEngine();
  const requests = await way.api.take(51);
  expect(textsOf(requests)).toEqual([...bodies, "waiting last"].sort());
});

test("a message that the API did not take stays, and comes again when its time has come", async () => {
  await settled();
  const failed = way.counts?.failed ?? 0;
  way.api.answerOnce(500);
  await publish("d42", location, '{"header":{},"body":"again"}');
  const { headers: first } = await takeOne();
  await expect.poll(() => way.counts).toMatchObject({ failed: failed + 1, pending: 1, dead: 0 });

  await way.stopEngine();
  await way.startEngine(hourMs);
  const { headers: second, body } = await takeOne();
  expect(body.toString()).toBe("again");
  expect([first["x-attempt"], second["x-attempt"]]).toEqual(["1", "2"]);
  for (const name of ["idempotency-key", "x-received-at", "x-mqtt-topic"]) expect(second[name]).toBe(first[name]);
  expect(second.traceparent?.slice(0, 35)).toBe(first.traceparent?.slice(0, 35));
  await settled();
});

test("a message that is no envelope is a dead letter, and does not stop the others", async () => {
  const dead = way.counts?.dead ?? 0;
  await publish("d42", location, "not JSON");
  await publish("d42", location, Buffer.from([0xff, 0xfe]));
  await publish("d42", location, '{"header":{},"body":"good"}');
  expect((await takeOne()).body.toString()).toBe("good");
  await expect.poll(() => way.counts).toMatchObject({ dead: dead + 2, pending: 0 });
});

test("pay-31: 2,000 changed PUBLISH packets do not touch another device's messages", async () => {
  await using honest = await connectAs(way.edge.url, "d42", { password: passwordOf("d42") });
  let isOver = false;
  const hostile = throwMutations(2_000, 1).finally(() => {
    isOver = true;
  });
  const sent: string[] = [];
  while (!isOver || sent.length < 200) {
    const body = `honest ${sent.length}`;
    await honest.publish(location, JSON.stringify({ header: {}, body }));
    sent.push(body);
  }
  await hostile;
  await honest.publish(location, '{"header":{},"body":"last"}');
  expect(way.edge.lines.some((line) => /malformed packet|protocol error/.test(line))).toBe(true);
  const requests: RecordedRequest[] = [];
  const isHonest = ({ headers }: RecordedRequest) => headers["x-device-id"] === "d42";
  while (requests.filter(isHonest).length <= sent.length) requests.push(...(await way.api.take(1)));
  expect(textsOf(requests.filter(isHonest))).toEqual([...sent, "last"].sort());
});

/** Longer than a queue's visibility timeout. */
const hourMs = 3_600_000;

/** Publishes with `mosquitto_pub` as a device, at QoS 1 where a later option does not say otherwise. */
async function publish(device: string, topic: string, payload: string | Buffer, options: readonly string[] = []) {
  const args = [...asDevice(device), "-q", "1", ...options, "-t", topic, "-s"];
  expect(await mosquittoPub(way.edge.port, args, Buffer.from(payload))).toEqual({ code: 0, output: "" });
}

/** The one request that the API has got. */
async function takeOne(): Promise<RecordedRequest> {
  const [request, ...more] = await way.api.take(1);
  expect(more).toEqual([]);
  if (request === undefined) throw new Error("unreachable: take(1) gives one");
  return request;
}

/** Waits until the queues are empty: the engine learns of the API's answer after the API has given it. */
async function settled(): Promise<void> {
  await expect.poll(() => way.counts?.pending).toBe(0);
}

/** Throws changed packets at the edge broker, each on a connection of its own, twenty at a time. */
async function throwMutations(count: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const payload = Buffer.from('{"header":{"x-trip":"7"},"body":{"lat":52.5,"lon":13.4}}');
  const contentType = Buffer.from([0x03, 0, 4, ...Buffer.from("text")]);
  let next = 0;
  const throwers = Array.from({ length: 20 }, async () => {
    while (next < count) {
      const number = next++;
      const version: ProtocolVersion = number % 2 === 0 ? 4 : 5;
      const packet = publishPacket(version, "v1/drivers/d66/location", payload, contentType);
      using client = await RawClient.open(way.edge.port, version);
      client.connect("d66", undefined, { clientId: `d66-${number}`, password: passwordOf("d66") });
      client.write(mutate(packet, random));
      await client.end();
    }
  });
  await Promise.all(throwers);
}

function inBase64(body: Buffer): string {
  return JSON.stringify({ header: {}, body: body.toString("base64"), bodyEncoding: "base64" });
}

function textsOf(requests: readonly RecordedRequest[]): readonly string[] {
  return requests.map(({ body }) => body.toString()).sort();
}
