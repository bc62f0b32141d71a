import type { SQSRecord } from "aws-lambda";
import { expect, test } from "vitest";
import type { ReplyStatus } from "../../scheme/command/command.ts";
import { encodeReply } from "../../scheme/command/command-message.ts";
import { type IngestMessage, repliesSource } from "../../scheme/ingest.ts";
import type { Commands } from "../../scheme/scheme.ts";
import { ingestMessage, sqsRecord, type TestPayload, testScheme } from "../forward/test-message.ts";
import { CommandLedger, type NewCommand } from "../store/commands.ts";
import { type DeadLetter, DeadLetters } from "../store/dead-letters.ts";
import { DeviceStates } from "../store/device-states.ts";
import { startTables } from "../store/testing.ts";
import { recordReplies } from "./record-replies.ts";

const source = repliesSource(testScheme.commands as Commands);

const start = Date.parse("2026-01-31T12:00:00Z");
const receivedAt = start + 2_000;
const command: NewCommand = {
  ...{ id: "019c1388-4800-7000-8000-000000000001", deviceId: "d42", kind: "request", issuedAt: start },
  ...{ body: '{"command":"locate"}', deadlineAt: start + 60_000 },
};

/** A function with a ledger that has a published command of device d42. */
async function setUp() {
  const { client, commands: commandsTable, deadLetters: table } = await startTables();
  const clock = { now: start + 3_000 };
  const now = () => clock.now;
  const ledger = new CommandLedger(client, commandsTable, now);
  await ledger.record(command);
  await ledger.notePublication(command, { attempts: [{ at: start, broker: "b" }], at: start });
  const deadLetters = new DeadLetters(client, table, 14, now);
  const heard = { statuses: [] as ReplyStatus[], letters: [] as DeadLetter[], errors: [] as string[] };
  const options = {
    ...{ source, ledger, deadLetters, now },
    onRecorded: (status: ReplyStatus) => heard.statuses.push(status),
    onDead: (letter: DeadLetter) => heard.letters.push(letter),
    onError: (error: unknown, messageId: string) => heard.errors.push(`${messageId}: ${error}`),
  };
  const run = (...records: SQSRecord[]) => recordReplies(records, options);
  return { client, commandsTable, clock, ledger, deadLetters, heard, options, run };
}

/** What the replies' topic rule makes of a device's message. */
function replyRecord(messageId: string, payload: Buffer | TestPayload, change: Partial<IngestMessage> = {}): SQSRecord {
  const common = { topic: "Push/Replies/d42", route: "replies", receivedAt, ...change };
  const data = Buffer.isBuffer(payload) ? { data: payload.toString("base64") } : {};
  return sqsRecord(messageId, ingestMessage({ ...data, ...common }, Buffer.isBuffer(payload) ? "" : payload));
}

const answer = encodeReply({ commandId: command.id, status: "succeeded", body: '{"lat":1.0}' });

test.for(["succeeded", "failed"] as const)("a command whose device says so has %s", async (status) => {
  const { ledger, heard, run } = await setUp();
  const payload = encodeReply({ commandId: command.id, status, body: '{"lat":1.0}' });
  expect(await run(replyRecord("m1", payload))).toEqual({ batchItemFailures: [] });
  expect(await ledger.get(command.id)).toMatchObject({
    state: status,
    endedAt: receivedAt,
    reply: { status, at: receivedAt, body: '{"lat":1.0}' },
  });
  expect(heard).toEqual({ statuses: [status], letters: [], errors: [] });
});

test("takes the reply of a device that speaks MQTT 5 in user properties", async () => {
  const { ledger, run } = await setUp();
  const userProperties = [{ commandId: command.id }, { status: "failed" }];
  await run(replyRecord("m1", Buffer.from("no satellites"), { userProperties }));
  expect(await ledger.get(command.id)).toMatchObject({ reply: { status: "failed", body: '"no satellites"' } });
});

test("of replies to one command the first one counts, and the others are fine", async () => {
  const { ledger, heard, run } = await setUp();
  await run(replyRecord("m1", answer));
  const other = encodeReply({ commandId: command.id, status: "failed", body: "null" });
  const records = [replyRecord("m1", answer), replyRecord("m2", answer), replyRecord("m3", other)];
  expect(await run(...records)).toEqual({ batchItemFailures: [] });
  expect(await ledger.get(command.id)).toMatchObject({ state: "succeeded", reply: { body: '{"lat":1.0}' } });
  expect(heard).toEqual({ statuses: ["succeeded"], letters: [], errors: [] });
});

test("keeps a reply that comes after its request has expired", async () => {
  const { clock, ledger, heard, run } = await setUp();
  clock.now = start + 60_000;
  await ledger.end(command.id, "expired");
  await run(replyRecord("m1", answer, { receivedAt: start + 61_000 }));
  expect(await ledger.get(command.id)).toMatchObject({ state: "expired", reply: { at: start + 61_000 } });
  expect(heard.statuses).toEqual(["succeeded"]);
});

const unknownId = "019c1388-4800-7000-8000-000000000002";

test.for([
  ["no JSON", "done", {}, "ENVELOPE_NOT_JSON", "replies"],
  ["no envelope", '{"status":"succeeded"}', {}, "ENVELOPE_SHAPE", "replies"],
  ["nothing at all", Buffer.alloc(0), {}, "ENVELOPE_NOT_JSON", "replies"],
  ["no command's id", { header: { status: "succeeded" }, body: 1 }, {}, "REPLY_INVALID", "replies"],
  ["no status", { header: { commandId: command.id }, body: 1 }, {}, "REPLY_INVALID", "replies"],
  ["another status", { header: { commandId: command.id, status: "ok" }, body: 1 }, {}, "REPLY_INVALID", "replies"],
  [
    "a command that nobody gave",
    { header: { commandId: unknownId, status: "failed" }, body: 1 },
    {},
    "COMMAND_UNKNOWN",
    "replies",
  ],
  ["another device's command", answer, { topic: "Push/Replies/d43" }, "COMMAND_UNKNOWN", "replies"],
  ["no device", answer, { topic: "Push/Replies/d.42" }, "DEVICE_ID_INVALID", "replies"],
  ["another topic", answer, { topic: "Push/Replies/d42/x" }, "TOPIC_NOT_ROUTED", "replies"],
  ["another route", answer, { route: "location" }, "TOPIC_NOT_ROUTED", "unknown"],
] as const)("a reply with %s is a dead letter with its bytes", async ([, payload, change, reason, route]) => {
  const { ledger, deadLetters, heard, run } = await setUp();
  const record = replyRecord("m1", payload, change);
  expect(await run(record, replyRecord("m2", answer))).toEqual({ batchItemFailures: [], dead: ["m1"] });
  const letter = { id: "m1", route, reason, at: start + 3_000, message: record.body, state: "dead", attempts: [] };
  expect(await deadLetters.get("m1")).toMatchObject(letter);
  expect(heard).toMatchObject({ statuses: ["succeeded"], letters: [letter], errors: [] });
  expect(await ledger.get(command.id)).toMatchObject({ state: "succeeded" });
});

test("what no topic rule wrote is a dead letter, too", async () => {
  const { deadLetters, run } = await setUp();
  expect(await run(sqsRecord("m1", "rubbish"))).toEqual({ batchItemFailures: [], dead: ["m1"] });
  expect(await deadLetters.get("m1")).toMatchObject({
    route: "unknown",
    reason: "TOPIC_NOT_ROUTED",
    message: "rubbish",
  });
});

test("a reply cannot name what the table holds beside commands", async () => {
  const { client, commandsTable, deadLetters, run } = await setUp();
  const states = new DeviceStates(client, commandsTable, () => start);
  const lease = { owner: "a test", until: start };
  await states.advance("d42", { id: unknownId, issuedAt: start, body: '{"command":"track"}' }, lease);
  const payload = encodeReply({ commandId: "device#d42", status: "succeeded", body: "null" });
  await run(replyRecord("m1", payload));
  expect(await deadLetters.get("m1")).toMatchObject({ reason: "COMMAND_UNKNOWN", deviceId: "d42" });
});

test("a message that was a dead letter and is sent again is known by its first id", async () => {
  const { deadLetters, run } = await setUp();
  expect(await run(replyRecord("m9", "done", { id: "m1" }))).toEqual({ batchItemFailures: [], dead: ["m9"] });
  expect(await deadLetters.get("m1")).toMatchObject({ id: "m1" });
});

test("only what could not be written comes again", async () => {
  const { ledger, deadLetters, heard, options } = await setUp();
  const failing = {
    put: async (letters: readonly DeadLetter[]) => {
      if (letters.some(({ id }) => id === "m2")) throw new Error("no room for m2");
      await deadLetters.put(letters);
    },
  };
  const busy: typeof options.ledger.recordReply = async (reply) => {
    if (reply.at === start) throw new Error("no network");
    return await ledger.recordReply(reply);
  };
  const records = [
    replyRecord("m1", "done"),
    replyRecord("m2", "done"),
    replyRecord("m3", answer, { receivedAt: start }),
    replyRecord("m4", answer),
  ];
  const outcome = await recordReplies(records, { ...options, deadLetters: failing, ledger: { recordReply: busy } });
  expect(outcome.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort()).toEqual(["m2", "m3"]);
  expect(outcome.dead).toEqual(["m1"]);
  expect(heard.errors.sort()).toEqual(["m2: Error: no room for m2", "m3: Error: no network"]);
  expect(await ledger.get(command.id)).toMatchObject({ state: "succeeded" });
});
