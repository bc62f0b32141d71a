import mqtt, { type IPublishPacket, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { TestBroker } from "../test/support/mosquitto.ts";
import { seededRandom } from "../test/support/random.ts";
import type { Message } from "./message.ts";
import { connected, endOfTurn, handledLines, startOpenBroker } from "./testing.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await startOpenBroker();
});

afterAll(() => broker[Symbol.asyncDispose]());

/** A device made of raw `mqtt`, which is told of each request. */
async function device(
  protocolVersion: 4 | 5,
  filter: string,
  onRequest: (request: Request, client: MqttClient) => void,
): Promise<MqttClient> {
  const client = await mqtt.connectAsync(broker.url, { protocolVersion, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  client.on("message", (topic, payload, packet) => onRequest({ topic, payload, packet }, client));
  await client.subscribeAsync(filter, { qos: 1 });
  return client;
}

interface Request {
  readonly topic: string;
  readonly payload: Buffer;
  readonly packet: IPublishPacket;
}

/** How a device reads a request's id and body, and makes a reply, in each version of MQTT. */
const wires = {
  4: {
    read: ({ payload }: Request) => {
      const { header, body } = JSON.parse(payload.toString());
      return { id: header.commandId as string, body };
    },
    reply: (client: MqttClient, topic: string, id: string, body: unknown) => {
      client.publish(topic, JSON.stringify({ header: { commandId: id, status: "succeeded" }, body }), { qos: 1 });
    },
    bodyOf: ({ payload }: Message) => JSON.parse(payload.toString()).body,
  },
  5: {
    read: ({ payload, packet }: Request) => {
      return { id: String(packet.properties?.correlationData), body: JSON.parse(payload.toString()) };
    },
    reply: (client: MqttClient, topic: string, id: string, body: unknown) => {
      const properties = { correlationData: Buffer.from(id) };
      client.publish(topic, JSON.stringify(body), { qos: 1, properties });
    },
    bodyOf: ({ payload }: Message) => JSON.parse(payload.toString()),
  },
} as const;

/** What anybody may write to a reply topic. */
const malformed = ["", "{", "[]", '{"header":{}}', '{"header":{"commandId":1},"body":1}', "\u0000", '"x"'].map((text) =>
  Buffer.from(text),
);
malformed.push(Buffer.from([0xff, 0xfe]));

/** Which of the 10 topics a request is on. */
function levelOf(number: number): number {
  return Math.floor(number / 10) % 10;
}

/** Of ten requests the first is answered too late, the second by nonsense only. */
function isAnswered(number: number): boolean {
  return number % 10 > 1;
}

/** What comes back to a request in time, each with its id but for the nonsense. */
function repliesTo(number: number): readonly { readonly topic: string; readonly body: Buffer | object }[] {
  const topic = `a/${levelOf(number)}`;
  const own = { topic, body: { number } };
  // Another topic's reply is nobody's, whatever its id.
  const misdirected = { topic: `a/${(levelOf(number) + 1) % 10}`, body: { number: -1 } };
  const fates = [[], malformed.map((body) => ({ topic, body })), [misdirected, own], [own, own, own]];
  return fates[number % 10] ?? [own];
}

function shuffle<T>(items: readonly T[]): readonly T[] {
  const random = seededRandom(42);
  return items
    .map((item) => ({ item, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Warnings of the process until the test ends, too many listeners among them. */
function collectWarnings(): readonly Error[] {
  const warnings: Error[] = [];
  const collect = (warning: Error) => warnings.push(warning);
  process.on("warning", collect);
  onTestFinished(() => void process.off("warning", collect));
  return warnings;
}

describe.each([4, 5] as const)("with MQTT version %i", (protocolVersion) => {
  const { read, reply, bodyOf } = wires[protocolVersion];

  test("1,000 requests at once on 10 topics: each settles with its own reply or its time-out", async () => {
    const warnings = collectWarnings();
    const requests: { readonly id: string; readonly number: number }[] = [];
    const allHere = Promise.withResolvers<void>();
    const responder = await device(protocolVersion, "q/+", (request) => {
      const { id, body } = read(request);
      if (requests.push({ id, number: body.number }) === 1_000) allHere.resolve();
    });
    const client = await connected(broker.url, { protocolVersion });
    const from = broker.lines.length;
    const calls = Array.from({ length: 1_000 }, (_, number) =>
      client
        .request(`q/${levelOf(number)}`, JSON.stringify({ number }), {
          replyTopic: `a/${levelOf(number)}`,
          timeoutMs: isAnswered(number) ? 25_000 : 1_500,
        })
        .then(bodyOf)
        .catch((error) => error.code),
    );
    expect(client.subscriptionCount).toBe(10);

    await allHere.promise;
    const sends = requests.flatMap(({ id, number }) =>
      repliesTo(number).map(({ topic, body }) => () => {
        if (body instanceof Buffer) responder.publish(topic, body, { qos: 1 });
        else reply(responder, topic, id, body);
      }),
    );
    for (const send of shuffle(sends)) send();
    expect(await Promise.all(calls)).toEqual(
      calls.map((_, number) => (isAnswered(number) ? { number } : "CLIENT_TIMEOUT")),
    );

    await endOfTurn();
    expect(client.subscriptionCount).toBe(0);
    // Late replies reach nobody: the broker has no subscription any more.
    const settledAt = (await handledLines(broker, from)).length;
    for (const { id, number } of requests) reply(responder, `a/${levelOf(number)}`, id, { number });
    await responder.publishAsync("a/0", "x", { qos: 1 });
    const lines = (await handledLines(broker, from)).filter((line) => line.includes(client.clientId));
    expect(lines.filter((line) => line.includes("Received UNSUBSCRIBE"))).not.toEqual([]);
    const afterwards = (await handledLines(broker, from)).slice(settledAt);
    expect(afterwards.filter((line) => line.includes(`Sending PUBLISH to ${client.clientId}`))).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test("a reply that comes late is nobody's, and the next request on its topic has its own", async () => {
    const ids: string[] = [];
    await device(protocolVersion, "late", (request, client) => {
      const { id } = read(request);
      ids.push(id);
      if (ids.length === 1) return;
      for (const each of ids) reply(client, "late/a", each, each);
    });
    const client = await connected(broker.url, { protocolVersion });
    const options = { replyTopic: "late/a", timeoutMs: 5_000 };
    const first = client.request("late", "1", { ...options, timeoutMs: 20 });
    await expect(first).rejects.toMatchObject({ code: "CLIENT_TIMEOUT" });
    expect(bodyOf(await client.request("late", "2", options))).toBe(ids[1]);
  });

  test("the reply topic is subscribed to before the request is published", async () => {
    const client = await connected(broker.url, { protocolVersion });
    const from = broker.lines.length;
    await expect(client.request("order", "1", { replyTopic: "order/a", timeoutMs: 20 })).rejects.toThrow();
    const lines = await handledLines(broker, from);
    const kinds = ["Sending SUBACK to", "Received PUBLISH from", "Received UNSUBSCRIBE from"];
    const places = kinds.map((kind) => lines.findIndex((line) => line.includes(`${kind} ${client.clientId}`)));
    expect(places.toSorted((a, b) => a - b)).toEqual(places);
    expect(places).not.toContain(-1);
  });
});

test("a device with MQTT 3.1.1 answers a client with MQTT 5 that sends envelopes", async () => {
  const { read, reply, bodyOf } = wires[4];
  await device(4, "old", (request, client) => reply(client, "old/a", read(request).id, read(request).body));
  const client = await connected(broker.url);
  const answer = client.request("old", '{"n":1.0}', { replyTopic: "old/a", timeoutMs: 5_000, form: "envelope" });
  expect(bodyOf(await answer)).toEqual({ n: 1 });
});

test("a device with MQTT 5 may answer by the id among the user properties", async () => {
  await device(5, "named", ({ packet: { properties } }, client) => {
    const id = properties?.userProperties?.commandId ?? "";
    client.publish(properties?.responseTopic ?? "", "done", {
      qos: 1,
      properties: { userProperties: { commandId: id } },
    });
  });
  const client = await connected(broker.url);
  const answer = await client.request("named", "x", { replyTopic: "named/a", timeoutMs: 5_000 });
  expect(answer.payload.toString()).toBe("done");
});

test("those who listen to a reply topic hear the replies too", async () => {
  const { read, reply } = wires[5];
  await device(5, "heard", (request, client) => reply(client, "heard/a", read(request).id, 1));
  const client = await connected(broker.url);
  await using subscription = await client.subscribe("heard/+");
  await using exact = await client.subscribe("heard/a");
  await client.request("heard", "1", { replyTopic: "heard/a", timeoutMs: 5_000 });
  for (const each of [subscription, exact]) expect((await each.next()).value?.topic).toBe("heard/a");
});
