import { expect, test } from "vitest";
import { attemptAll, type Gates } from "./attempt-all.ts";
import { openRecord } from "./open-record.ts";
import { ingestMessage, sqsRecord, testScheme } from "./test-message.ts";

const gate = (parallelRequests: number) => ({ parallelRequests: () => parallelRequests, noteDuration: () => {} });

function messages(count: number, route: "location" | "collection") {
  const topic = route === "location" ? "v1/drivers/d42/location" : "api/d42/x";
  return Array.from({ length: count }, (_, n) =>
    openRecord(sqsRecord(`${route}-${n}`, ingestMessage({ route, topic })), testScheme.routes),
  );
}

/** How many messages were under way at one time at most, of all and of each route, while each takes a moment. */
async function most(gates: Gates, opened: ReturnType<typeof messages>, parallelRequests = 4) {
  const underWay = new Map<string, number>();
  const seen: Record<string, number> = {};
  const change = (route: string, by: number) => {
    underWay.set(route, (underWay.get(route) ?? 0) + by);
    seen[route] = Math.max(seen[route] ?? 0, underWay.get(route) ?? 0);
  };
  const attempt = async ({ id, routeName }: (typeof opened)[number]) => {
    for (const name of ["all", routeName]) change(name, 1);
    await new Promise(setImmediate);
    for (const name of ["all", routeName]) change(name, -1);
    return id;
  };
  const attempted = await attemptAll(opened, { attempt, gates, parallelRequests, now: Date.now });
  expect(attempted.map(({ settlement }) => settlement).sort()).toEqual(opened.map(({ id }) => id).sort());
  return seen;
}

test("attempts as many at one time as it may", async () => {
  expect(await most(new Map([["location", gate(10)]]), messages(9, "location"))).toEqual({ all: 4, location: 4 });
  expect(await most(new Map(), messages(3, "location"))).toEqual({ all: 3, location: 3 });
  expect(await most(new Map(), [])).toEqual({});
});

test("a route that has to go slowly holds up no other", async () => {
  const gates = new Map([
    ["location", gate(1)],
    ["collection", gate(10)],
  ]);
  const opened = [...messages(5, "location"), ...messages(5, "collection")];
  expect(await most(gates, opened)).toEqual({ all: 4, location: 1, collection: 3 });
});
