import { expect, test } from "vitest";
import { readEnvironment } from "./environment.ts";

const complete = {
  API_URL: "https://api.example.com",
  PARALLEL_REQUESTS: "1",
  LANE: "retry",
  DELIVERIES_TABLE: "acme-prod-deliveries",
  DEAD_LETTERS_TABLE: "acme-prod-dead-letters",
  MESSAGES_TABLE: "",
  CIRCUIT_QUEUE_URL: "https://sqs.example.com/circuit",
  MAXIMUM_DELAY_SECONDS: "43100",
  RETRY_FUNCTION_NAME: "retry",
};

test("reads what `forward` reads, and the function that it pauses", () => {
  expect(readEnvironment(complete)).toMatchObject({
    deliveriesTable: "acme-prod-deliveries",
    retryFunctionName: "retry",
  });
});

test.for(["RETRY_FUNCTION_NAME", "DELIVERIES_TABLE"])("names %s where it is missing", (name) => {
  expect(() => readEnvironment({ ...complete, [name]: "" })).toThrow(`${name} is not set`);
});
