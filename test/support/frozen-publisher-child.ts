import { MqttPublisher } from "../../lambdas/publish/mqtt-publisher.ts";

/** What `FrozenPublisher` runs: a publisher that publishes what it is told, and says when the broker has it. */
const [url = "", keepAliveSeconds] = process.argv.slice(2);
const publisher = new MqttPublisher({
  name: new URL(url).host,
  url,
  keepAliveSeconds: Number(keepAliveSeconds),
  fetchSecret: async (name) => {
    throw new Error(`there is no secret ${name}`);
  },
});

process.on("message", ({ topic, text }: { readonly topic: string; readonly text: string }) => {
  const message = { topic, payload: Buffer.from(text), isRetained: false };
  // A failure is an uncaught one: the process ends, and the test sees that.
  void publisher.publish(message, { timeoutMs: 10_000 }).then(() => process.send?.("published"));
});
