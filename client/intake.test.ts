import { EventEmitter, once } from "node:events";
import { expect, test } from "vitest";
import { connectAs } from "../test/support/mqtt-client.ts";
import { Intake } from "./intake.ts";
import { lasting, startOpenBroker } from "./testing.ts";

test.for([
  ["messages", { messages: 3, bytes: Number.POSITIVE_INFINITY }],
  ["bytes", { messages: Number.POSITIVE_INFINITY, bytes: 30 }],
] as const)("with a limit of %s nothing further is read until there is room", async ([, limit]) => {
  const broker = await lasting(startOpenBroker("max_queued_messages 1000"));
  const taken: string[] = [];
  const settle: (() => void)[] = [];
  const events = new EventEmitter();
  await using intake = await Intake.open({
    ...{ url: broker.url, clientId: "limited", subscriptions: [{ filter: "t/#", qos: 1 }], limit, keepAliveSeconds: 0 },
    accept: ({ payload }) => {
      taken.push(payload.toString().trim());
      events.emit("taken");
      return new Promise((resolve) => settle.push(resolve));
    },
    log: () => {},
  });
  const taking = async (count: number) => {
    while (taken.length < count) await once(events, "taken");
  };
  await using device = await connectAs(broker.url, "d1");
  const texts = Array.from({ length: 20 }, (_, n) => `${n}`);
  await Promise.all(texts.map((text) => device.publish("t/1", text.padEnd(10))));
  await taking(3);
  // The broker has sent all that it may; what is read of it does not depend on time.
  await broker.logged(/Sending PUBLISH to limited .*m3,/);
  expect(taken).toEqual(["0", "1", "2"]);
  for (let next = 0; next < 20; next += 1) {
    await taking(next + 1);
    expect(taken.length).toBeLessThanOrEqual(next + 3);
    settle[next]?.();
  }
  expect(taken).toEqual(texts);
  await intake.stop();
});
