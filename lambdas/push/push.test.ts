import { expect, test } from "vitest";
import { encodeReply, readCommand } from "../../scheme/command/command-message.ts";
import type { OutgoingMessage } from "../publish/command-publisher.ts";
import { connect } from "../store/testing.ts";
import { pathOf, startPush } from "./testing.ts";

const track = { command: "track", args: { on: true } };
const utf8 = ({ payload }: Pick<OutgoingMessage, "payload">) => Buffer.from(payload).toString();

test("a command is recorded, published and answered with where it is", async () => {
  const { ask, broker, now } = await startPush();
  const { status, headers, json } = await ask({ path: "/devices/d1/commands", body: track });
  expect(status).toBe(202);
  expect(headers).toMatchObject({ location: `/commands/${json.id}`, "cache-control": "no-store" });
  expect(json).toMatchObject({ deviceId: "d1", kind: "state", ...track, state: "published" });
  expect(json.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  expect(json.version).toBe(broker.versionOf("d1"));
  expect(Date.parse(json.issuedAt)).toBeLessThanOrEqual(now());
  expect(json.attempts).toEqual([{ at: expect.any(String), broker: "broker" }]);
  expect((await ask({ method: "GET", path: headers.location ?? "" })).json).toEqual(json);
});

test("args reach the device and come back in answers byte for byte", async () => {
  const { ask, broker } = await startPush();
  const args = '{"n":9007199254740993, "f":1.0,"e":1E400,"a":1,"a":2,"t":"\\u0041\\ud800"}';
  const body = `{ "args" : ${args}, "command":"s\\u0065t" }`;
  const { status, text, json } = await ask({ path: "/devices/d1/commands", body });
  expect(status).toBe(202);
  expect(broker.published.map(utf8)).toEqual([
    expect.stringContaining(`"body":{"command":"s\\u0065t","args":${args}}}`),
  ]);
  expect(json.command).toBe("set");
  for (const path of [`/commands/${json.id}`, "/devices/d1/commands", "/devices/d1"]) {
    expect((await ask({ method: "GET", path })).text).toContain(`"args":${args}`);
  }
  expect(text).toContain(`"args":${args}`);
});

test("a command may have no args", async () => {
  const { ask, broker } = await startPush();
  const { json } = await ask({ path: "/devices/d1/commands", body: { command: "stop" } });
  expect(json).not.toHaveProperty("args");
  expect(broker.published.map(({ payload }) => readCommand(payload).body)).toEqual(['{"command":"stop"}']);
});

test("a request expires, in an hour unless its caller says when", async () => {
  const { ask, broker } = await startPush();
  const request = { ...track, kind: "request" };
  const lifetimeOf = ({ issuedAt = "", expiresAt = "" }) => Date.parse(expiresAt) - Date.parse(issuedAt);
  const hour = await ask({ path: "/devices/d1/commands", body: request });
  const minute = await ask({ path: "/devices/d1/commands", body: { ...request, expiresIn: 60 } });
  expect([lifetimeOf(hour.json), lifetimeOf(minute.json)]).toEqual([3_600_000, 60_000]);
  expect(broker.published).toMatchObject([{ messageExpirySeconds: 3600 }, { messageExpirySeconds: 60 }]);
  expect(broker.retained.size).toBe(0);
});

test("a command that no broker takes is accepted", async () => {
  const { ask, broker } = await startPush();
  broker.isAway = true;
  const { status, json } = await ask({ path: "/devices/d1/commands", body: track });
  expect(status).toBe(202);
  expect(json).toMatchObject({
    state: "recorded",
    attempts: [{ error: expect.stringContaining("BROKER_UNREACHABLE") }],
  });
});

test("who waits hears the device's answer, subscribed before the command is sent", async () => {
  const { ask, broker, metrics, lines } = await startPush();
  // The device answers before the broker has even acknowledged the command.
  broker.after = async ({ topic, payload }) => {
    if (topic !== "commands/d1") return;
    const reply = encodeReply({ commandId: readCommand(payload).commandId, status: "failed", body: '{"left": 1.0}' });
    await broker.publish({ topic: "replies/d1", payload: reply, isRetained: false });
  };
  const { status, json, text } = await ask({ path: "/devices/d1/commands?wait=20", body: track });
  expect(status).toBe(200);
  expect(json).toMatchObject({ state: "failed", reply: { status: "failed", at: expect.any(String) } });
  expect(text).toContain('"body":{"left": 1.0}');
  expect(metrics).toEqual(["CommandsAccepted=1"]);
  expect(lines).toEqual([
    {
      text: "request",
      operation: "sendCommand",
      status: 200,
      deviceId: "d1",
      commandId: json.id,
      ms: expect.any(Number),
    },
  ]);
});

test("who waits in vain is told so, with the command", async () => {
  const { ask, metrics } = await startPush();
  const { status, headers, json } = await ask({ path: "/devices/d1/commands?wait=1", body: track });
  expect(status).toBe(504);
  expect(json).toMatchObject({ code: "REPLY_TIMEOUT", detail: "no answer within 1 s; the command is published" });
  expect(json.command).toMatchObject({ state: "published", ...track });
  expect(headers.location).toBe(`/commands/${json.command.id}`);
  expect(metrics).toEqual(["CommandsAccepted=1"]);
});

test("many devices are sent a command each, and each has an outcome", async () => {
  const { ask, broker, metrics } = await startPush();
  const deviceIds = ["d1", "a/b", "d2", "d1"];
  const { status, json } = await ask({ path: "/commands", body: { deviceIds, ...track } });
  expect(status).toBe(207);
  expect(json.outcomes).toMatchObject([
    { deviceId: "d1", status: 202, command: { deviceId: "d1", command: "track", state: "published" } },
    { deviceId: "a/b", status: 400, problem: { code: "DEVICE_ID_INVALID" } },
    { deviceId: "d2", status: 202, command: { deviceId: "d2" } },
  ]);
  expect(broker.published.map(({ topic }) => topic).toSorted()).toEqual(["commands/d1", "commands/d2"]);
  expect(metrics).toEqual(["CommandsAccepted=2", "DEVICE_ID_INVALID CommandsRefused=1"]);
  const { json: got } = await ask({ method: "GET", path: `/commands/${json.outcomes[2].command.id}` });
  expect(got).toMatchObject({ deviceId: "d2", ...track });
});

test("devices are sent their commands fifty at a time", async () => {
  const { ask, broker } = await startPush();
  let [atOnce, most] = [0, 0];
  broker.before = () => {
    atOnce += 1;
    most = Math.max(most, atOnce);
  };
  broker.after = () => {
    atOnce -= 1;
  };
  const deviceIds = Array.from({ length: 150 }, (_, index) => `device-${index}`);
  const body = { deviceIds, ...track, kind: "request" };
  const { status, json } = await ask({ path: "/commands", body });
  expect(status).toBe(202);
  expect(json.outcomes.map(({ deviceId }: { deviceId: string }) => deviceId)).toEqual(deviceIds);
  expect(broker.published).toHaveLength(150);
  expect(most).toBeLessThanOrEqual(50);
});

test("who asks for more than there is time for is answered in time, and may go on with the same key", async () => {
  const { ask, broker, clock } = await startPush();
  const deviceIds = Array.from({ length: 60 }, (_, index) => `device-${index}`);
  const request = { path: "/commands", headers: { "idempotency-key": "k1" }, body: { deviceIds, ...track } };
  broker.before = () => {
    clock.aheadMs = 20_000;
  };
  const first = await ask(request);
  expect(first.status).toBe(207);
  const left = first.json.outcomes.filter(({ status }: { status: number }) => status === 503);
  expect(left.length).toBeGreaterThanOrEqual(10);
  expect(left[0].problem.code).toBe("OUT_OF_TIME");
  broker.before = () => undefined;
  const second = await ask(request);
  expect(second.status).toBe(202);
  expect(second.json.outcomes[0].command.id).toBe(first.json.outcomes[0].command.id);
  expect(broker.published).toHaveLength(60);
});

test("a device's commands come in pages, newest first", async () => {
  const { ask, clock } = await startPush();
  for (let index = 0; index < 5; index += 1) {
    await ask({ path: "/devices/d1/commands", body: { command: `c${index}` } });
    clock.aheadMs += 10;
  }
  const pages: string[][] = [];
  let before: string | undefined = "";
  while (before !== undefined) {
    const query: string = before === "" ? "limit=2" : `limit=2&before=${before}`;
    const { json } = await ask({ method: "GET", path: `/devices/d1/commands?${query}` });
    pages.push(json.commands.map(({ command }: { command: string }) => command));
    before = json.next;
  }
  expect(pages).toEqual([["c4", "c3"], ["c2", "c1"], ["c0"]]);
});

test("a device is as its newest state command says, until that is cleared", async () => {
  const { ask, broker } = await startPush();
  const path = "/devices/d1";
  expect((await ask({ method: "GET", path })).json).toEqual({ deviceId: "d1", version: 0, brokers: {} });
  const { json: sent } = await ask({ path: `${path}/commands`, body: track });
  const { id, issuedAt, version } = sent;
  const command = { id, issuedAt, ...track };
  const published = { deviceId: "d1", version, command, brokers: { broker: version } };
  expect((await ask({ method: "GET", path })).json).toEqual(published);
  const { status, json } = await ask({ method: "DELETE", path: `${path}/commands` });
  expect([status, json]).toEqual([202, { deviceId: "d1", version: version + 1, brokers: { broker: version + 1 } }]);
  expect(broker.retained.size).toBe(0);
  expect((await ask({ method: "GET", path: `/commands/${id}` })).json.state).toBe("cleared");
});

test("a feed's message is published as an envelope with the caller's bytes", async () => {
  const { ask, broker } = await startPush();
  const body = '{"topic":"orders/ABC-123","body": {"total": 10.00},"retain":true}';
  const { status, json } = await ask({ path: "/publish", body });
  expect(status).toBe(200);
  const { messageId, issuedAt } = json;
  expect(json).toEqual({ messageId, issuedAt, topic: "orders/ABC-123" });
  expect(broker.published).toMatchObject([{ topic: "orders/ABC-123", isRetained: true }]);
  const header = JSON.stringify({ messageId, issuedAt });
  expect(broker.published.map(utf8)).toEqual([`{"header":${header},"body":{"total": 10.00}}`]);
});

test("a feed's message that a broker has not acknowledged is refused", async () => {
  const { ask, broker, lines } = await startPush();
  broker.isAway = true;
  const { status, headers, json } = await ask({ path: "/publish", body: { topic: "orders/1", body: null } });
  expect([status, json.code, headers["retry-after"]]).toEqual([503, "BROKER_UNAVAILABLE", "5"]);
  expect(lines).toMatchObject([{ operation: "publish", status: 503, reason: expect.stringContaining("PublishError") }]);
});

test("a ledger that does not answer is said to be that, and for many devices of each", async () => {
  const { ask, broker, metrics } = await startPush({ client: connect("http://127.0.0.1:1") });
  const { status, headers, json } = await ask({ path: "/devices/d1/commands", body: track });
  expect([status, json.code, headers["retry-after"]]).toEqual([503, "LEDGER_UNAVAILABLE", "5"]);
  expect(metrics).toEqual(["PushFailed=1", "LEDGER_UNAVAILABLE CommandsRefused=1"]);
  const many = await ask({ path: "/commands", body: { deviceIds: ["d1", "d2"], ...track } });
  expect(many.status).toBe(207);
  expect(many.json.outcomes).toMatchObject([{ status: 503 }, { status: 503, problem: { code: "LEDGER_UNAVAILABLE" } }]);
  expect(broker.published).toEqual([]);
});

test("an error that nobody expected keeps what it is to the log", async () => {
  const { ask, lines } = await startPush({
    feeds: { publish: () => Promise.reject(new RangeError("the password is hunter2")) },
  });
  const { status, text } = await ask({ path: "/publish", body: { topic: "orders/1", body: 1 } });
  expect(status).toBe(500);
  expect(text).not.toContain("hunter2");
  expect(lines).toMatchObject([{ code: "INTERNAL_ERROR", reason: expect.stringContaining("hunter2") }]);
});

test("of a scheme without commands there are feeds and the document", async () => {
  const { ask } = await startPush({ commands: undefined });
  expect((await ask({ path: "/publish", body: { topic: "orders/1", body: 1 } })).status).toBe(200);
  expect((await ask({ path: pathOf("sendCommand"), body: track })).json.code).toBe("NOT_FOUND");
});
