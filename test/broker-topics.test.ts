import { afterAll, beforeAll, expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import { type BadInput, badInputs } from "../scheme/fixtures/bad-inputs.ts";
import { startGenerated, type TestBroker } from "./support/mosquitto.ts";
import { connectAs } from "./support/mqtt-client.ts";
import { PacketType, type ProtocolVersion, RawClient, type RawPacket } from "./support/raw-mqtt.ts";

// The routes that the hostile topics resemble, so that it is their form that is refused, not an unknown topic.
const scheme = defineScheme({
  name: "hostile",
  api: { url: "https://api.example.com" },
  routes: {
    api: { topic: "api/{deviceId}/{rest}", qos: 1 },
    x: { topic: "up/{deviceId}", qos: 1 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  brokers: [{ url: "mqtts://broker.example.com:8883" }],
});

let broker: TestBroker;

beforeAll(async () => {
  broker = await startGenerated(scheme, () => ({ services: { engine: "trestle.engine" } }));
});

afterAll(() => broker[Symbol.asyncDispose]());

/** Of the hostile topics those that the broker is to stop; the others get through, and are the Lambda's. */
const brokersOwn = badInputs("mqtt.topic").filter(({ expect: { outcome } }) =>
  ["disconnect", "deny"].includes(outcome),
);
const versions: readonly ProtocolVersion[] = [4, 5];

test("the broker has ten hostile topics to stop", () => {
  expect(brokersOwn.map(({ id }) => id.slice("topic-".length)).join(" ")).toBe("02 03 04 06 07 08 14 15 16 22");
});

test.for(brokersOwn.flatMap((input) => versions.map((version) => [input.id, version, input] as const)))(
  "%s over MQTT %i ends as the list says",
  async ([id, version, input]) => {
    await using engine = await connectAs(broker.url, "trestle.engine");
    await engine.subscribe(["api/#", "up/#", "Push/#", "$share/g/up/#"]);
    await using bystander = await connectAs(broker.url, "d7");

    using offender = await RawClient.open(broker.port, version);
    offender.connect(String(input.input.publisher ?? "d1"));
    expect((await offender.next())?.type).toBe(PacketType.connack);
    offender.publish(topicOf(input), id);
    expect(outcome(await offender.next(), version)).toBe(input.expect.outcome);

    await bystander.publish("api/d7/fence", id);
    await engine.until(({ topic }) => topic === "api/d7/fence");
    expect(engine.texts).toEqual([`api/d7/fence ${id}`]);
  },
);

test.for([
  ["m5-02", () => aliasOf(65_535)],
  ["m5-03", () => aliasOf(7)],
] as const)("%s: a topic alias that was not agreed on ends its connection only", async ([id, properties]) => {
  const { input, expect: wanted } = badInput(id);
  await using bystander = await connectAs(broker.url, "d7");
  using offender = await RawClient.open(broker.port, 5);
  offender.connect("d1");
  await offender.next();
  offender.publish(Buffer.from(String(input.topic ?? "api/d1/x")), id, properties());
  expect(outcome(await offender.next(), 5)).toBe(wanted.outcome);
  await bystander.publish("api/d7/fence", id);
});

test("m5-12: a Receive Maximum of 0 ends its connection only", async () => {
  await using bystander = await connectAs(broker.url, "d7");
  using offender = await RawClient.open(broker.port, 5);
  const receiveMaximum = 0x21;
  offender.connect("d1", Buffer.from([receiveMaximum, 0, 0]));
  const answer = await offender.next();
  // The broker may say why in a CONNACK before it ends the connection.
  if (answer?.type === PacketType.connack) expect(answer.body.readUInt8(1)).toBeGreaterThanOrEqual(0x80);
  expect(outcome(await offender.next(), 5)).toBe(badInput("m5-12").expect.outcome);
  await bystander.publish("api/d7/fence", "m5-12");
});

/** MQTT 3.1.1 has no refusal of one message: its PUBLISH is acknowledged and goes nowhere (MQTT 3.1.1 §3.3.5-2). */
function outcome(answer: RawPacket | undefined, version: ProtocolVersion): string {
  if (answer === undefined || answer.type === PacketType.disconnect) return "disconnect";
  const notAuthorized = 0x87;
  const reason = answer.body.at(2);
  if (answer.type === PacketType.puback && (version === 4 || reason === notAuthorized)) return "deny";
  return `packet type ${answer.type}, reason ${reason}`;
}

function topicOf({ id, input: { utf8, hex } }: BadInput): Uint8Array {
  if (typeof hex === "string") return Buffer.from(hex, "hex");
  if (typeof utf8 === "string") return Buffer.from(utf8);
  throw new Error(`${id} has no topic`);
}

function aliasOf(alias: number): Uint8Array {
  const topicAlias = 0x23;
  return Buffer.from([topicAlias, alias >> 8, alias & 0xff]);
}

function badInput(id: string): BadInput {
  const found = badInputs("mqtt5.property").find((input) => input.id === id);
  if (found === undefined) throw new Error(`bad-inputs.json has no ${id}`);
  return found;
}
