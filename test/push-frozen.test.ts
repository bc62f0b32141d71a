import { setTimeout as delay } from "node:timers/promises";
import { describe, test } from "vitest";
import { startOpenBroker } from "../lambdas/publish/test-broker.ts";
import { startLine, type TestLine } from "../lambdas/publish/test-line.ts";
import { FrozenPublisher } from "./support/frozen-publisher.ts";
import type { TestBroker } from "./support/mosquitto.ts";
import { connectAs } from "./support/mqtt-client.ts";

const keepAliveSeconds = 2;
const frozenMs = 3 * keepAliveSeconds * 1_000;

/** From the word to publish on: the bound that was asked for. */
const promptMs = 2_000;

interface Way {
  readonly broker: TestBroker;
  readonly line: TestLine;
}

/** What becomes of the connection meanwhile. Each waits for as long as a process is frozen: all at once. */
describe.concurrent("a process that was frozen for three keep-alives publishes at once", () => {
  test.for([
    ["whatever the broker has done", async () => {}],
    ["where the broker has ended the connection", ({ broker }) => broker.logged(/trestle-push-\S+ .*exceeded timeout/)],
    ["where the connection is dead and nobody has said so", async ({ line }) => line.silence()],
  ] as const satisfies readonly (readonly [string, (way: Way) => Promise<unknown>])[])(
    "%s",
    async ([, happen], { expect }) => {
      await using stack = new AsyncDisposableStack();
      const broker = stack.use(await startOpenBroker());
      const line = stack.use(await startLine(broker.port));
      const subscriber = stack.use(await connectAs(broker.url, "d42"));
      await subscriber.subscribe(["Push/SDKControls/d42"]);
      const url = `mqtt://127.0.0.1:${line.port}`;
      const push = stack.use(new FrozenPublisher({ url, keepAliveSeconds }));
      await push.publish("Push/SDKControls/d42", "before");

      push.freeze();
      await Promise.all([delay(frozenMs), happen({ broker, line })]);
      push.thaw();
      const toldAt = performance.now();
      const published = push.publish("Push/SDKControls/d42", "after");
      await subscriber.until(({ payload }) => payload.toString() === "after");
      expect(performance.now() - toldAt).toBeLessThan(promptMs);
      await published;
      expect(subscriber.texts).toEqual(["Push/SDKControls/d42 before", "Push/SDKControls/d42 after"]);
    },
  );
});
