import { expect, test } from "vitest";
import { readOnlineEvent } from "./online-events.ts";

test("an online event names a device", () => {
  expect(readOnlineEvent({ body: '{"deviceId":"d1","at":1}' })).toEqual({ deviceId: "d1" });
});

test.for(["", "null", "{}", '"d1"', '{"deviceId":1}', '{"deviceId":"a/b"}'])("%j is no online event", (body) => {
  expect(() => readOnlineEvent({ body })).toThrow();
});
