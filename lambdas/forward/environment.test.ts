import { expect, test } from "vitest";
import { readEnvironment } from "./environment.ts";

const direct = {
  API_URL: "https://api.example.com/base",
  PARALLEL_REQUESTS: "10",
  LANE: "direct",
  COMMANDS_TABLE: "",
  ONLINE_QUEUE_URL: "",
};
const queued = {
  ...direct,
  LANE: "retry",
  DELIVERIES_TABLE: "acme-prod-deliveries",
  DEAD_LETTERS_TABLE: "acme-prod-dead-letters",
  MESSAGES_TABLE: "",
  CIRCUIT_QUEUE_URL: "https://sqs.example.com/circuit",
  MAXIMUM_DELAY_SECONDS: "43100",
};

test("reads the variables into their types", () => {
  expect(readEnvironment(direct)).toEqual({
    apiUrl: new URL("https://api.example.com/base"),
    parallelRequests: 10,
    onlineEvents: undefined,
    lane: "direct",
  });
  expect(readEnvironment(queued)).toEqual({
    apiUrl: new URL("https://api.example.com/base"),
    parallelRequests: 10,
    lane: "retry",
    deliveriesTable: "acme-prod-deliveries",
    deadLettersTable: "acme-prod-dead-letters",
    messagesTable: undefined,
    circuitQueueUrl: "https://sqs.example.com/circuit",
    maximumDelaySeconds: 43_100,
  });
  expect(readEnvironment({ ...queued, MESSAGES_TABLE: "acme-prod-messages" })).toMatchObject({
    messagesTable: "acme-prod-messages",
  });
  const online = { COMMANDS_TABLE: "acme-prod-commands", ONLINE_QUEUE_URL: "https://sqs.example.com/online" };
  expect(readEnvironment({ ...direct, ...online })).toMatchObject({
    onlineEvents: { commandsTable: "acme-prod-commands", queueUrl: "https://sqs.example.com/online" },
  });
});

test("the function that takes frames knows where its own queue is", () => {
  const { CIRCUIT_QUEUE_URL: _, MAXIMUM_DELAY_SECONDS: __, ...stores } = queued;
  const frames = { ...stores, LANE: "frames", FRAMES_QUEUE_URL: "https://sqs.example.com/frames" };
  expect(readEnvironment(frames)).toMatchObject({
    lane: "frames",
    deliveriesTable: "acme-prod-deliveries",
    framesQueueUrl: "https://sqs.example.com/frames",
  });
  expect(() => readEnvironment({ ...frames, FRAMES_QUEUE_URL: "" })).toThrow("FRAMES_QUEUE_URL is not set");
});

test.for([
  [{ API_URL: undefined }, "API_URL is not set"],
  [{ API_URL: "" }, "API_URL is not set"],
  [{ API_URL: "api.example.com" }, "API_URL is no URL: 'api.example.com'"],
  [{ PARALLEL_REQUESTS: undefined }, "PARALLEL_REQUESTS is not set"],
  [{ PARALLEL_REQUESTS: "0" }, "PARALLEL_REQUESTS is '0'"],
  [{ PARALLEL_REQUESTS: "many" }, "PARALLEL_REQUESTS is 'many'"],
  [{ LANE: undefined }, "LANE is not set"],
  [{ LANE: "fast" }, "LANE is 'fast', not direct, fresh, retry or frames"],
  [{ ONLINE_QUEUE_URL: "https://sqs.example.com/online" }, "COMMANDS_TABLE is not set"],
  [{ DELIVERIES_TABLE: "" }, "DELIVERIES_TABLE is not set"],
  [{ DEAD_LETTERS_TABLE: "" }, "DEAD_LETTERS_TABLE is not set"],
  [{ CIRCUIT_QUEUE_URL: undefined }, "CIRCUIT_QUEUE_URL is not set"],
  [{ MAXIMUM_DELAY_SECONDS: "1.5" }, "MAXIMUM_DELAY_SECONDS is '1.5', not a whole number of 1 or more"],
] as const)("names the variable that is wrong: %j", ([change, message]) => {
  expect(() => readEnvironment({ ...queued, ...change })).toThrow(message);
});
