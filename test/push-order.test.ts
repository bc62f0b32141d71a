import { expect, onTestFinished, test } from "vitest";
import { startTables } from "../lambdas/store/testing.ts";
import { readCommand } from "../scheme/command/command-message.ts";
import { startGenerated } from "./support/mosquitto.ts";
import { connectAs } from "./support/mqtt-client.ts";
import scheme from "./support/push.config.ts";
import { PushProcess } from "./support/push-processes.ts";

test("push-38: 100 pushes to a device from 8 processes: the newest is retained, no older one after a newer one", async () => {
  const tables = await startTables();
  const broker = await startGenerated(scheme, () => ({ services: { publisher: "trestle.push" } }));
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const brokerUrl = broker.url.replace("//", "//trestle.push@");
  const processes = await Promise.all(Array.from({ length: 8 }, () => PushProcess.start(tables, { brokerUrl })));
  await using device = await connectAs(broker.url, "d1");
  await device.subscribe(["Push/SDKControls/d1"]);

  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      processes[n % 8]?.ask({ path: "/devices/d1/commands", body: { command: "set", args: { n } } }),
    ),
  );
  expect(answers.map((answer) => answer?.status)).toEqual(Array(100).fill(202));
  const ids = answers.map((answer) => answer?.json.id);
  expect(new Set(ids).size).toBe(100);

  // What every command came to, in the ledger: one is the newest.
  const records = await Promise.all(ids.map((id) => processes[0]?.ask({ method: "GET", path: `/commands/${id}` })));
  const states = records.map((record) => record?.json.state);
  expect(states.filter((state) => state === "superseded")).toHaveLength(99);
  const newest = records.find((record) => record?.json.state === "published")?.json;
  const versions = records.flatMap((record) => record?.json.version ?? []);
  expect(newest.version).toBe(Math.max(...versions));
  expect((await processes[0]?.ask({ method: "GET", path: "/devices/d1" }))?.json).toMatchObject({
    version: newest.version,
    command: { id: newest.id },
  });

  await using late = await connectAs(broker.url, "d1");
  await late.subscribe(["Push/SDKControls/d1"]);
  const { payload, packet } = await late.until(() => true);
  expect(packet.retain).toBe(true);
  expect(readCommand(payload)).toMatchObject({ commandId: newest.id, version: newest.version });
  const heard = device.messages.map((message) => readCommand(message.payload).version ?? 0);
  expect(heard).toEqual(heard.toSorted((one, other) => one - other));
  expect(heard.at(-1)).toBe(newest.version);
});
