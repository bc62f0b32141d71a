import { expect, test } from "vitest";
import { readEnvironment } from "./environment.ts";

const complete = { API_URL: "https://api.example.com/base", PARALLEL_REQUESTS: "10" };

test("reads the variables into their types", () => {
  expect(readEnvironment(complete)).toEqual({ apiUrl: new URL("https://api.example.com/base"), parallelRequests: 10 });
});

test.for([
  [{ API_URL: undefined }, "API_URL is not set"],
  [{ API_URL: "" }, "API_URL is not set"],
  [{ API_URL: "api.example.com" }, "API_URL is no URL: 'api.example.com'"],
  [{ PARALLEL_REQUESTS: undefined }, "PARALLEL_REQUESTS is not set"],
  [{ PARALLEL_REQUESTS: "0" }, "PARALLEL_REQUESTS is '0'"],
  [{ PARALLEL_REQUESTS: "many" }, "PARALLEL_REQUESTS is 'many'"],
] as const)("names the variable that is wrong: %j", ([change, message]) => {
  expect(() => readEnvironment({ ...complete, ...change })).toThrow(message);
});
