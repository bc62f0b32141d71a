import { expect, onTestFinished, test } from "vitest";
import { connectAs, type TestClient } from "../../test/support/mqtt-client.ts";
import type { CommandPublisher, OutgoingMessage } from "./command-publisher.ts";
import { maxPayloadBytes } from "./limits.ts";

/** What one adapter's tests run with. */
export interface PublisherParts {
  readonly publisher: CommandPublisher;
  /** Where its messages are heard. */
  readonly brokerUrl: string;
  /** From now on nothing answers the publisher, until it has given up and the returned function is called. */
  freeze(): Promise<() => Promise<void>>;
}

export interface PublisherSuite {
  /** Parts of a test's own, which end with it. */
  readonly start: () => Promise<PublisherParts>;
  /** A publisher to a port that nobody listens on. */
  readonly startUnreachable: () => Promise<CommandPublisher>;
}

const inTime = { timeoutMs: 10_000 };
let topics = 0;

/** Another one for each test: their broker is the same. */
function newTopic(): string {
  return `Push/SDKControls/d${topics++}`;
}

/** What every `CommandPublisher` does. */
export function testPublisher({ start, startUnreachable }: PublisherSuite): void {
  test("a retained message is the first thing that a late subscriber hears, with RETAIN set", async () => {
    const { publisher, brokerUrl } = await start();
    const topic = newTopic();
    await publisher.publish(message(topic, "older", { isRetained: true }), inTime);
    await publisher.publish(message(topic, "newer", { isRetained: true }), inTime);
    const late = await subscribe(brokerUrl, topic);
    const { payload, packet } = await late.until(() => true);
    expect([payload.toString(), packet.retain, packet.qos]).toEqual(["newer", true, 1]);
  });

  test("a subscriber hears a message at once, without RETAIN, at QoS 1", async () => {
    const { publisher, brokerUrl } = await start();
    const topic = newTopic();
    const subscriber = await subscribe(brokerUrl, topic);
    await publisher.publish(message(topic, "now", { isRetained: true, messageExpirySeconds: 60 }), inTime);
    const { payload, packet } = await subscriber.until(() => true);
    expect([payload.toString(), packet.retain, packet.qos]).toEqual(["now", false, 1]);
    expect(packet.properties?.messageExpiryInterval).toBe(60);
  });

  test("zero bytes take the retained message away", async () => {
    const { publisher, brokerUrl } = await start();
    const topic = newTopic();
    await publisher.publish(message(topic, "on", { isRetained: true }), inTime);
    await publisher.publish(message(topic, "", { isRetained: true }), inTime);
    expect(await publisher.readRetained(topic, inTime)).toBeUndefined();
    expect(await heardOnSubscribing(brokerUrl, topic)).toEqual([]);
  });

  test("a message that is not retained is not kept, and leaves what is", async () => {
    const { publisher, brokerUrl } = await start();
    const topic = newTopic();
    await publisher.publish(message(topic, "passing"), inTime);
    expect(await heardOnSubscribing(brokerUrl, topic)).toEqual([]);
    await publisher.publish(message(topic, "kept", { isRetained: true }), inTime);
    await publisher.publish(message(topic, "passing"), inTime);
    expect(await heardOnSubscribing(brokerUrl, topic)).toEqual([`${topic} kept`]);
  });

  test("reads a topic's retained message, the newest each time, however many ask", async () => {
    const { publisher } = await start();
    const topic = newTopic();
    for (const text of ["first", "second", "third"]) {
      await publisher.publish(message(topic, text, { isRetained: true }), inTime);
      const read = await Promise.all(Array.from({ length: 5 }, () => publisher.readRetained(topic, inTime)));
      expect(read.map((payload) => payload && Buffer.from(payload).toString())).toEqual(Array(5).fill(text));
    }
  });

  test("reads nothing where a topic has no retained message", async () => {
    const { publisher } = await start();
    const topic = newTopic();
    expect(await publisher.readRetained(topic, inTime)).toBeUndefined();
    await publisher.publish(message(topic, "passing"), inTime);
    expect(await publisher.readRetained(topic, inTime)).toBeUndefined();
  });

  test("reads the retained messages of 100 topics at once", async () => {
    const { publisher } = await start();
    const ownTopics = Array.from({ length: 100 }, newTopic);
    await Promise.all(ownTopics.map((topic) => publisher.publish(message(topic, topic, { isRetained: true }), inTime)));
    const read = await Promise.all(ownTopics.map((topic) => publisher.readRetained(topic, inTime)));
    expect(read.map((payload) => payload && Buffer.from(payload).toString())).toEqual(ownTopics);
  });

  test("takes the largest payload, byte for byte, and refuses a larger one", async () => {
    const { publisher, brokerUrl } = await start();
    const topic = newTopic();
    const subscriber = await subscribe(brokerUrl, topic);
    const largest = Buffer.alloc(maxPayloadBytes, Buffer.from([0x00, 0xff, 0x80, 0x7b]));
    const tooLarge = { topic, payload: Buffer.alloc(maxPayloadBytes + 1), isRetained: false };
    await expect(publisher.publish(tooLarge, inTime)).rejects.toMatchObject({
      ...{ name: "PublishError", code: "BROKER_REFUSED", broker: publisher.name, isRetryable: false },
    });
    await publisher.publish({ topic, payload: largest, isRetained: false }, inTime);
    const { payload } = await subscriber.until(() => true);
    expect(payload.equals(largest)).toBe(true);
  });

  test("keeps every character of a topic", async () => {
    const { publisher, brokerUrl } = await start();
    const topic = `${newTopic()}/a b%2F?&=é/~!*'()`;
    const subscriber = await subscribe(brokerUrl, topic);
    await publisher.publish(message(topic, "here", { isRetained: true }), inTime);
    await subscriber.until((received) => received.topic === topic);
    expect(Buffer.from((await publisher.readRetained(topic, inTime)) ?? []).toString()).toBe("here");
  });

  test("200 messages at once arrive in the order of the calls on each topic", async () => {
    const { publisher, brokerUrl } = await start();
    const ownTopics = Array.from({ length: 20 }, newTopic);
    const subscriber = await subscribe(brokerUrl, ...ownTopics);
    const texts = Array.from({ length: 10 }, (_, index) => String(index));
    const calls = texts.flatMap((text) => ownTopics.map((topic) => message(topic, text)));
    await Promise.all(calls.map((call) => publisher.publish(call, inTime)));
    await subscriber.until(() => subscriber.messages.length >= 200);
    const heardOn = (topic: string) =>
      subscriber.messages.filter((each) => each.topic === topic).map(({ payload }) => payload.toString());
    expect(ownTopics.map(heardOn)).toEqual(ownTopics.map(() => texts));
  });

  test("a message that was given up before it could be sent is never sent", async () => {
    const { publisher, brokerUrl, freeze } = await start();
    const topic = newTopic();
    const thaw = await freeze();
    const calls = ["given up", "given up, too"].map((text) =>
      publisher.publish(message(topic, text, { isRetained: true }), { timeoutMs: 300 }),
    );
    const failures = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
    await thaw();
    const failure = { name: "PublishError", code: "BROKER_TIMEOUT", isRetryable: true };
    expect(failures).toEqual([expect.objectContaining(failure), expect.objectContaining(failure)]);
    const subscriber = await subscribe(brokerUrl, topic);
    await publisher.publish(message(topic, "later"), inTime);
    await subscriber.until(({ payload }) => payload.toString() === "later");
    expect(subscriber.texts).toEqual([`${topic} later`]);
  });

  test("a broker that is not there is unreachable", async () => {
    const publisher = await startUnreachable();
    const failure = { name: "PublishError", code: "BROKER_UNREACHABLE", broker: publisher.name, isRetryable: true };
    await expect(publisher.publish(message(newTopic(), "x"), inTime)).rejects.toMatchObject(failure);
    await expect(publisher.readRetained(newTopic(), inTime)).rejects.toMatchObject(failure);
  });
}

/** A message, not retained where nothing else is said. */
export function message(topic: string, text: string, rest: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { topic, payload: Buffer.from(text), isRetained: false, ...rest };
}

/** A subscriber that ends with the test. */
export async function subscribe(brokerUrl: string, ...topicNames: readonly string[]): Promise<TestClient> {
  const subscriber = await connectAs(brokerUrl, "subscriber");
  onTestFinished(() => subscriber[Symbol.asyncDispose]());
  await subscriber.subscribe(topicNames);
  return subscriber;
}

/** What a subscription brings by itself: it is all there when something published after it is. */
async function heardOnSubscribing(brokerUrl: string, topic: string): Promise<readonly string[]> {
  const end = `${topic}/end`;
  const subscriber = await subscribe(brokerUrl, topic, end);
  await subscriber.publish(end, "");
  await subscriber.until((received) => received.topic === end);
  return subscriber.texts.filter((text) => !text.startsWith(end));
}
