import { expect, test } from "vitest";
import { defineScheme } from "./define-scheme.ts";
import { ingestStatement, repliesSource } from "./ingest.ts";

const { commands, routes } = defineScheme({
  name: "acme",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/{deviceId}/location", qos: 1 } },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  brokers: [{ url: "aws-iot:" }],
});

test("the replies' rule selects what a route's does", () => {
  const [location] = routes.values();
  if (commands === undefined || location === undefined) throw new Error("this test's scheme has lost a part");
  const replies = ingestStatement(repliesSource(commands));
  expect(replies).toBe(
    ingestStatement(location)
      .replace("'location' AS route", "'replies' AS route")
      .replace("FROM 'v1/+/location'", "FROM 'Push/Replies/+'"),
  );
  expect(replies).toMatch(/^SELECT 'replies' AS route, .* FROM 'Push\/Replies\/\+'$/);
});
