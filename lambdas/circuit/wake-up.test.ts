import { expect, test } from "vitest";
import { sqsRecord } from "../forward/test-message.ts";
import { routesOf } from "./wake-up.ts";

test("finds the routes that messages name, and nothing in others", () => {
  const bodies = [
    { route: "location" },
    { route: "location" },
    { route: "activity" },
    { route: "constructor" },
    "no JSON",
  ];
  const records = [...bodies, { route: 7 }, "null", "[]"].map((body, index) => sqsRecord(`m${index}`, body));
  expect(routesOf(records, new Set(["location", "activity", "health"]))).toEqual(new Set(["location", "activity"]));
});
