import { expect, onTestFinished, test } from "vitest";
import { startTables } from "../lambdas/store/testing.ts";
import { readCommand } from "../scheme/command/command-message.ts";
import { startGenerated } from "./support/mosquitto.ts";
import { connectAs } from "./support/mqtt-client.ts";
import scheme from "./support/push.config.ts";
import type { CrashPoint } from "./support/push-process.ts";
import { PushProcess } from "./support/push-processes.ts";

/** Longer than a process that died keeps its device or its Idempotency-Key. */
const laterMs = 60_000;

test.for<[CrashPoint, publications: number]>([
  ["record", 1], // by the retry alone
  ["publication", 2], // the retry cannot know of the first
  ["answer", 1], // the answer was kept
])(
  "a process is killed after the %s: a retry gives the first answer, the device has one command",
  async ([crashPoint, publications]) => {
    const tables = await startTables();
    const broker = await startGenerated(scheme, () => ({ services: { publisher: "trestle.push" } }));
    onTestFinished(() => broker[Symbol.asyncDispose]());
    const options = { brokerUrl: broker.url.replace("//", "//trestle.push@") };
    await using device = await connectAs(broker.url, "d1");
    await device.subscribe(["Push/SDKControls/d1"]);
    const before = await PushProcess.start(tables, options);
    const earlier = await before.ask({ path: "/devices/d1/commands", body: { command: "earlier" } });

    const request = {
      ...{ path: "/devices/d1/commands", headers: { "idempotency-key": "k1" } },
      body: { command: "set", args: { n: 1 } },
    };
    const dying = await PushProcess.start(tables, { ...options, crashPoint });
    expect(await dying.ask(request)).toBeUndefined();
    expect(await dying.ended).toBe("SIGKILL");

    const retrying = await PushProcess.start(tables, { ...options, aheadMs: laterMs });
    const answer = await retrying.ask(request);
    expect(answer).toMatchObject({ status: 202, json: { state: "published", command: "set", args: { n: 1 } } });
    expect(await retrying.ask(request)).toEqual(answer);
    expect((await retrying.ask({ ...request, body: { command: "other" } }))?.status).toBe(422);

    // One newest command at the device, however often it came.
    const commands = device.messages.map(({ payload }) => readCommand(payload));
    expect(new Set(commands.map(({ commandId }) => commandId))).toEqual(new Set([earlier?.json.id, answer?.json.id]));
    expect(commands.slice(1)).toEqual(Array(publications).fill(commands[1]));
    await using late = await connectAs(broker.url, "d1");
    await late.subscribe(["Push/SDKControls/d1"]);
    const { payload, packet } = await late.until(() => true);
    expect(packet.retain).toBe(true);
    const version = answer?.json.version;
    expect(readCommand(payload)).toMatchObject({ commandId: answer?.json.id, version });
    expect(version).toBe(earlier?.json.version + 1);

    // The ledger is right.
    const get = async (path: string) => (await retrying.ask({ method: "GET", path }))?.json;
    expect((await get("/devices/d1/commands")).commands).toMatchObject([
      { id: answer?.json.id, state: "published", version },
      { id: earlier?.json.id, state: "superseded" },
    ]);
    expect(await get("/devices/d1")).toMatchObject({ version, command: { id: answer?.json.id } });
  },
);
