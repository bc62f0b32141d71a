import { expect, onTestFinished, test } from "vitest";
import { connect } from "../../client/connect.ts";
import { readCommand } from "../../scheme/command/command-message.ts";
import { badInputs } from "../../scheme/fixtures/bad-inputs.ts";
import { firstHeard } from "../../test/support/mosquitto-clients.ts";
import { openFeeds } from "../commands/feeds.ts";
import { openCommands } from "../commands/open-commands.ts";
import { openPublishers } from "../publish/open-publishers.ts";
import { startOpenBroker } from "../publish/test-broker.ts";
import { createAsk, startPush } from "./testing.ts";

// The bad inputs whose outcome is what a device has in the end, at a real broker.

const inputOf = (id: string) => badInputs("push.request").find((one) => one.id === id)?.input ?? {};

/** The endpoint over a ledger of the test's own and a real broker. */
async function startReal() {
  const started = await startPush();
  const broker = await startOpenBroker();
  const fetchSecret = () => Promise.reject(new Error("there are no secrets"));
  const publishers = openPublishers({ brokers: [], urls: [broker.url], fetchSecret });
  onTestFinished(async () => {
    await Promise.all(publishers.map((publisher) => publisher[Symbol.asyncDispose]()));
    await broker[Symbol.asyncDispose]();
  });
  const commands = openCommands({ ...started.commandsOptions, publishers });
  const ask = createAsk({ ...started.options, commands, feeds: openFeeds(publishers) });
  /** What a device that comes now hears first: whether it was retained, and its payload. */
  const hear = async (topic: string, ...others: readonly string[]) => {
    const topics = [topic, ...others].flatMap((each) => ["-t", each]);
    const [line = ""] = await firstHeard(broker.port, 1, "%r %p", ["-V", "mqttv311", "-q", "1", ...topics]);
    return { isRetained: line.startsWith("1 "), payload: line.slice(2) };
  };
  return { ask, broker, hear };
}

test("push-30: a device that nobody has seen finds its command when it comes", async () => {
  const { ask, hear } = await startReal();
  const { deviceId, body } = inputOf("push-30");
  const { status, json } = await ask({ path: `/devices/${deviceId}/commands`, body });
  expect([status, json.state]).toEqual([202, "published"]);
  const { isRetained, payload } = await hear(`commands/${deviceId}`);
  expect([isRetained, readCommand(Buffer.from(payload)).commandId]).toEqual([true, json.id]);
});

test("push-36: DELETE takes the command away from the broker, and an empty POST does not", async () => {
  const { ask, hear } = await startReal();
  const path = "/devices/d1/commands";
  const { json } = await ask({ path, body: { command: "start" } });
  const empty = await ask({ path, headers: { "content-type": "application/json" }, body: "" });
  expect(empty.json.code).toBe("BODY_NOT_JSON");
  expect((await hear("commands/d1")).payload).toContain(json.id);
  expect((await ask({ path, method: "DELETE" })).status).toBe(202);
  await ask({ path: "/publish", body: { topic: "orders/1", body: "marker", retain: true } });
  expect((await hear("commands/d1", "orders/1")).payload).toContain('"body":"marker"');
  expect((await ask({ method: "GET", path: `/commands/${json.id}` })).json.state).toBe("cleared");
});

test("push-37: a device receives the number digit for digit", async () => {
  const { ask, hear } = await startReal();
  const { rawBody } = inputOf("push-37");
  expect((await ask({ path: "/devices/d1/commands", body: rawBody })).status).toBe(202);
  expect((await hear("commands/d1")).payload).toContain(`"body":${rawBody}}`);
});

test("push-38: a device hears no command after a newer one, and ends with the newest", async () => {
  const { ask, broker, hear } = await startReal();
  await using device = await connect(broker.url, { protocolVersion: 4 });
  await using subscription = await device.subscribe("commands/d1", { qos: 1 });
  const count = Number(inputOf("push-38").bodies);
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      ask({ path: "/devices/d1/commands", body: { command: "set", args: { n } } }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
  const newest = Math.max(...answers.map(({ json }) => json.version ?? 0));
  const heard: number[] = [];
  for await (const { payload } of subscription) {
    heard.push(readCommand(payload).version ?? 0);
    if (heard.at(-1) === newest) break;
  }
  expect(heard).toEqual(heard.toSorted((one, other) => one - other));
  expect(readCommand(Buffer.from((await hear("commands/d1")).payload)).version).toBe(newest);
  const states = await Promise.all(
    answers.map(async ({ json: { id } }) => (await ask({ method: "GET", path: `/commands/${id}` })).json),
  );
  const current = states.filter(({ state }) => state === "published");
  expect(current).toMatchObject([{ version: newest }]);
  expect(states.filter(({ state }) => state === "superseded")).toHaveLength(count - 1);
});
