import type { SQSRecord } from "aws-lambda";
import { expect, test } from "vitest";
import { ingestSources } from "../../scheme/ingest.ts";
import { idOf, ingestFrame, memberOf } from "../forward/frames/test-member.ts";
import { ingestMessage, sqsRecord, testScheme } from "../forward/test-message.ts";
import { AttemptLog } from "../store/attempt-log.ts";
import { type DeadLetter, DeadLetters } from "../store/dead-letters.ts";
import { startTables } from "../store/testing.ts";
import { recordBatch } from "./record-batch.ts";

const framesRuleName = "test_prod_relay_frames";
const now = Date.parse("2026-01-31T12:00:00Z");

/** What a topic rule's error action says. */
const report = {
  ruleName: testScheme.routes.get("location")?.ruleName,
  topic: "v1/drivers/d42/location",
  cloudwatchTraceId: "0af76519-16cd-43dd-8448-eb211c80319c",
  clientId: "bridge-1",
  base64OriginalPayload: Buffer.from('{"header":{},"body":1}').toString("base64"),
  failures: [{ failedAction: "SqsAction", failedResource: "test-queue", errorMessage: "Access\nDenied" }],
};

async function setUp() {
  const { client, deliveries, deadLetters: table } = await startTables();
  const attemptLog = new AttemptLog(client, deliveries, () => now);
  const deadLetters = new DeadLetters(client, table, 14, () => now);
  const recorded: DeadLetter[] = [];
  const errors: string[] = [];
  const options = {
    ...{ sources: ingestSources(testScheme), framesRuleName, attemptLog, deadLetters, now: () => now },
    onRecorded: (letter: DeadLetter) => recorded.push(letter),
    onError: (error: unknown, messageId: string | undefined) => errors.push(`${messageId}: ${error}`),
  };
  return { attemptLog, deadLetters, recorded, errors, options };
}

/** The one record that a batch of one leaves. */
async function recordOne(record: SQSRecord, id = record.messageId): Promise<DeadLetter | undefined> {
  const { deadLetters, options } = await setUp();
  expect(await recordBatch([record], options)).toEqual({ batchItemFailures: [] });
  return await deadLetters.get(id);
}

test("records a message that its queue gave up on, with its attempts", async () => {
  const { attemptLog, deadLetters, options } = await setUp();
  const attempts = [{ at: now - 1000, code: "HTTP_503", status: 503 }];
  await attemptLog.write(new Map([["m1", attempts]]));
  const record = sqsRecord("m1", ingestMessage());
  await recordBatch([record], options);
  expect(await deadLetters.get("m1")).toMatchObject({
    ...{ id: "m1", route: "location", topic: "v1/drivers/d42/location", deviceId: "d42" },
    ...{ reason: "RECEIVED_TOO_OFTEN", at: now, attempts, message: record.body, state: "dead" },
  });
});

test("knows a replay by its first id", async () => {
  expect(await recordOne(sqsRecord("m9", ingestMessage({ id: "m1" })), "m1")).toMatchObject({ id: "m1" });
});

test("makes a message of an error action's report, as far as it can", async () => {
  const letter = await recordOne(sqsRecord("m1", report));
  expect(letter).toMatchObject({
    ...{ route: "location", topic: report.topic, deviceId: "d42", reason: "RULE_FAILED" },
    detail: `rule ${report.ruleName}: SqsAction on "test-queue": Access Denied`,
  });
  expect(JSON.parse(letter?.message ?? "")).toEqual({
    data: report.base64OriginalPayload,
    topic: report.topic,
    route: "location",
    receivedAt: 1700000000200, // when the report was sent
    broker: "bridge-1",
  });
});

test("finds the topic behind Basic Ingest", async () => {
  const topic = `$aws/rules/${report.ruleName}/v1/drivers/d7/location`;
  expect(await recordOne(sqsRecord("m1", { ...report, topic }))).toMatchObject({ deviceId: "d7" });
});

test("knows the replies to commands, which are no route's", async () => {
  const message = ingestMessage({ route: "replies", topic: "Push/Replies/d42" });
  const letter = { route: "replies", deviceId: "d42", reason: "RECEIVED_TOO_OFTEN" };
  expect(await recordOne(sqsRecord("m1", message))).toMatchObject(letter);
  const ofRule = { ...report, ruleName: testScheme.commands?.ruleName, topic: message.topic };
  expect(await recordOne(sqsRecord("m1", ofRule))).toMatchObject({ ...letter, reason: "RULE_FAILED" });
});

test.for([
  ["a report of a rule that the scheme does not have", { ...report, ruleName: "other" }, "RULE_FAILED"],
  ["a message of a route that the scheme does not have", ingestMessage({ route: "other" }), "RECEIVED_TOO_OFTEN"],
  ["text", "no rule's", "TOPIC_NOT_ROUTED"],
  ["other JSON", { ...report, failures: "none" }, "TOPIC_NOT_ROUTED"],
  ["null", "null", "TOPIC_NOT_ROUTED"],
] as const)("keeps %s, without a route", async ([, body, reason]) => {
  const record = sqsRecord("m1", body);
  const letter = await recordOne(record);
  expect(letter).toMatchObject({ route: "unknown", deviceId: undefined, reason });
  if (reason !== "RULE_FAILED") expect(letter?.message).toBe(record.body);
});

/** A frame of two messages, of which the second was refused in two parts. */
const frame = ingestFrame([
  memberOf(1),
  ...[0, 1].map((part) =>
    memberOf(2, { payload: Buffer.of(part), refusal: { reason: "PAYLOAD_TOO_LARGE", detail: "x", part, parts: 2 } }),
  ),
]);

test.for([
  ["RULE_FAILED", { ...report, ruleName: framesRuleName, topic: "frames", base64OriginalPayload: frame.frame }],
  ["RECEIVED_TOO_OFTEN", { version: "1.0", requestPayload: frame, responsePayload: {} }],
] as const)("records each message of a frame, to be replayed: %s", async ([reason, body]) => {
  const { deadLetters, recorded, options } = await setUp();
  expect(await recordBatch([sqsRecord("m1", body)], options)).toEqual({ batchItemFailures: [] });
  const letter = await deadLetters.get(idOf(1));
  expect(letter).toMatchObject({ reason, route: "location", deviceId: "d1", attempts: [] });
  expect(JSON.parse(letter?.message ?? "")).toMatchObject({ route: "location", id: idOf(1) });
  const refused = await deadLetters.get(idOf(2));
  expect(refused).toMatchObject({ reason: "PAYLOAD_TOO_LARGE", deviceId: "d2" });
  expect(JSON.parse(refused?.message ?? "").data).toBe(Buffer.of(0, 1).toString("base64"));
  expect(recorded.map(({ id }) => id)).toEqual([idOf(1), idOf(2)]);
});

test("a frame that cannot be read is recorded as it is", async () => {
  const rubbish = { ...report, ruleName: framesRuleName, topic: "frames", base64OriginalPayload: "e30=" };
  expect(await recordOne(sqsRecord("m1", rubbish))).toMatchObject({ route: "unknown", reason: "RULE_FAILED" });
});

test("reports the messages alone that were not recorded", async () => {
  const { deadLetters, options, recorded, errors } = await setUp();
  const failing = {
    put: async (letters: readonly DeadLetter[]) => {
      if (letters.some(({ id }) => id === "m2")) throw new Error("table m2 is full");
      await deadLetters.put(letters);
    },
  };
  const records = ["m1", "m2", "m3"].map((id) => sqsRecord(id, ingestMessage()));
  const { batchItemFailures } = await recordBatch(records, { ...options, deadLetters: failing });
  expect(batchItemFailures).toEqual([{ itemIdentifier: "m2" }]);
  expect(recorded.map(({ id }) => id).sort()).toEqual(["m1", "m3"]);
  expect(errors).toEqual(["m2: Error: table m2 is full"]);
  expect(await deadLetters.get("m3")).toBeDefined();
});

test("records without attempts where these cannot be read", async () => {
  const { deadLetters, options, errors } = await setUp();
  const attemptLog = { read: () => Promise.reject(new Error("no network")) };
  await recordBatch([sqsRecord("m1", ingestMessage())], { ...options, attemptLog });
  expect(await deadLetters.get("m1")).toMatchObject({ attempts: [] });
  expect(errors).toEqual(["undefined: Error: no network"]);
});
