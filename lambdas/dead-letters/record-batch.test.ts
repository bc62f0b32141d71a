import type { SQSRecord } from "aws-lambda";
import { expect, test } from "vitest";
import { ingestSources } from "../../scheme/ingest.ts";
import { ingestMessage, sqsRecord, testScheme } from "../forward/test-message.ts";
import { AttemptLog } from "../store/attempt-log.ts";
import { type DeadLetter, DeadLetters } from "../store/dead-letters.ts";
import { startTables } from "../store/testing.ts";
import { recordBatch } from "./record-batch.ts";

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
    ...{ sources: ingestSources(testScheme), attemptLog, deadLetters, now: () => now },
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
