import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeReply } from "../../scheme/command/command-message.ts";
import { ingestMessage, sqsRecord } from "../forward/test-message.ts";
import { CommandLedger } from "../store/commands.ts";
import { DeadLetters } from "../store/dead-letters.ts";
import { startTables } from "../store/testing.ts";

// What Lambda would write into the log group: metrics and log lines of Powertools, each a line of JSON.
const lines: string[] = [];

beforeEach(() => {
  lines.length = 0;
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test("takes a batch of the replies' queue, and counts the replies by what they say", async () => {
  const { client, endpoint, commands, deadLetters } = await startTables();
  const variables = {
    ...{ COMMANDS_TABLE: commands, DEAD_LETTERS_TABLE: deadLetters },
    ...{ AWS_ENDPOINT_URL_DYNAMODB: endpoint, AWS_REGION: "us-east-1" },
    ...{ AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    ...{ POWERTOOLS_SERVICE_NAME: "sample-dev", POWERTOOLS_METRICS_NAMESPACE: "Trestle" },
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const ledger = new CommandLedger(client, commands);
  const issuedAt = Date.now();
  const common = { deviceId: "d42", kind: "request", body: "{}", issuedAt, deadlineAt: issuedAt + 60_000 } as const;
  await Promise.all(["c1", "c2", "c3"].map((id) => ledger.record({ ...common, id })));
  const { handler } = await import("./handler.ts");

  const replies = [
    ["c1", "succeeded"],
    ["c2", "succeeded"],
    ["c3", "failed"],
    ["c3", "failed"],
    ["c4", "failed"],
  ] as const;
  const Records = replies.map(([commandId, status], index) => {
    const data = encodeReply({ commandId, status, body: "null" }).toString("base64");
    return sqsRecord(`m${index}`, ingestMessage({ route: "replies", topic: "Push/Replies/d42", data }));
  });
  expect(await handler({ Records })).toEqual({ batchItemFailures: [], dead: ["m4"] });
  expect(await ledger.get("c3")).toMatchObject({ state: "failed" });
  expect(await new DeadLetters(client, deadLetters, 14).get("m4")).toMatchObject({ reason: "COMMAND_UNKNOWN" });
  const log = lines.join("");
  expect(log).toMatch(/"service":"sample-dev","status":"succeeded","RepliesReceived":2/);
  expect(log).toMatch(/"service":"sample-dev","status":"failed","RepliesReceived":1/);
  expect(log).toMatch(/"level":"WARN","message":"dead letter".*"code":"COMMAND_UNKNOWN"/);
  expect(log).toMatch(/"service":"sample-dev","route":"replies","DeadLettered":1/);
});
