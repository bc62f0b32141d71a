import { expect, test } from "vitest";
import { Driver } from "./driver.ts";

const at = Date.parse("2026-01-31T12:00:00Z");

test("drives and sends where it is each second", () => {
  const driver = newDriver();
  const first = driver.drive();
  expect(first).toEqual({ lat: 52.520108, lon: 13.405108, at }); // about 14 m from where it began
  expect(driver.drive()).not.toEqual(first);
});

test("stops and starts sending where it is, and drives on", () => {
  const driver = newDriver();
  driver.drive();
  expect(driver.obey({ command: "track", args: { isTracking: false } })).toMatchObject({ isTracking: false });
  const before = driver.obey({ command: "locate" });
  expect([driver.drive(), driver.drive()]).toEqual([undefined, undefined]);
  expect(driver.obey({ command: "locate" })).not.toEqual(before);
  driver.obey({ command: "track", args: { isTracking: true } });
  expect(driver.drive()).toBeDefined();
});

test("takes and sends positions as it is told", () => {
  const driver = newDriver();
  const sampling = { seconds: 2, meters: 20 }; // two seconds are 29 m
  const args = { isTracking: true, sampling, transmissionSeconds: 6 };
  expect(driver.obey({ command: "track", args })).toEqual(args);
  const sent = Array.from({ length: 12 }, () => driver.drive()).filter((body) => body !== undefined);
  expect(sent.map(({ path }) => path?.length)).toEqual([3, 3]);
});

test("gives the last lines of its log", () => {
  const driver = newDriver();
  for (let line = 1; line <= 1500; line++) driver.note(`line ${line}`);
  expect(driver.obey({ command: "sendLog", args: { lines: 2 } })).toEqual({
    lines: ["2026-01-31T12:00:00.000Z line 1500", "2026-01-31T12:00:00.000Z command sendLog"],
  });
  expect(driver.obey({ command: "sendLog", args: { lines: 1000 } })).toMatchObject({ lines: { length: 1000 } });
});

test("says of another command that it has none such, and what is wrong with its arguments", () => {
  const driver = newDriver();
  expect(() => driver.obey({ command: "explode" })).toThrow("is no command of this device");
  expect(() => driver.obey({ command: "track", args: {} })).toThrow("args.isTracking");
  expect(driver.drive()).toBeDefined();
});

function newDriver(): Driver {
  return new Driver({ random: () => 0.9, now: () => at });
}
