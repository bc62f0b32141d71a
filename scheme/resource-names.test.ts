import { expect, test } from "vitest";
import { resourceNames } from "./resource-names.ts";

const longest = resourceNames({ name: "n".repeat(32), stage: "s".repeat(16) });

test("names what a scheme is deployed as", () => {
  const names = resourceNames({ name: "acme", stage: "prod" });
  expect(names).toMatchObject({
    stack: "acme-prod",
    deliveriesTable: "acme-prod-deliveries",
    deadLettersTable: "acme-prod-dead-letters",
    messagesTable: "acme-prod-messages",
    commandsTable: "acme-prod-commands",
    circuitQueue: "acme-prod-circuit",
    deadLetterQueue: "acme-prod-dead-letters",
    repliesQueue: "acme-prod-replies",
    framesQueue: "acme-prod-frames",
    onlineQueue: "acme-prod-online",
  });
  expect(names.freshQueue("location")).toBe("acme-prod-route-location");
  expect(names.retryQueue("location")).toBe("acme-prod-retry-location");
});

test("no name is longer than AWS takes", () => {
  const route = "r".repeat(64);
  for (const name of [longest.freshQueue(route), longest.retryQueue(route)]) expect(name).toHaveLength(80);
  const { circuitQueue, deadLetterQueue, repliesQueue, framesQueue, onlineQueue } = longest;
  for (const name of [circuitQueue, deadLetterQueue, repliesQueue, framesQueue, onlineQueue]) {
    expect(name.length).toBeLessThanOrEqual(80);
  }
  const { deliveriesTable, deadLettersTable, messagesTable, commandsTable } = longest;
  for (const name of [deliveriesTable, deadLettersTable, messagesTable, commandsTable]) {
    expect(name.length).toBeLessThanOrEqual(255);
  }
});

test("names that were cut are of different routes still", () => {
  const routes = ["a", "b", "c"].map((end) => `${"r".repeat(63)}${end}`);
  const names = routes.flatMap((route) => [longest.freshQueue(route), longest.retryQueue(route)]);
  expect(new Set(names).size).toBe(6);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9-]+-[0-9a-f]{8}$/);
});
