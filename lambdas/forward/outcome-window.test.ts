import { describe, expect, test } from "vitest";
import { OutcomeWindow, type Sign } from "./outcome-window.ts";

/** Feeds outcomes until one is a reason to open, and says which that was; `devices` take turns. */
function feed(signs: readonly Sign[], devices: number, window = new OutcomeWindow()) {
  for (const [index, sign] of signs.entries()) {
    const reason = window.note(`d${index % devices}`, sign);
    if (reason !== undefined) return { reason, after: index + 1 };
  }
  return undefined;
}

const times = <T>(count: number, ...items: readonly T[]): T[] => Array.from({ length: count }, () => items).flat();

describe("an outcome window", () => {
  test("opens after 20 failures in a row", () => {
    expect(feed(times(30, "transient"), 100)).toEqual({ reason: "FAILURES_IN_A_ROW", after: 20 });
  });

  test("opens where more than half of 40 failed", () => {
    const outcomes = [
      ...times(19, "success", "transient"),
      ...times(10, "transient", "transient", "success"),
    ] as Sign[];
    expect(feed(outcomes, 100)).toEqual({ reason: "MOSTLY_FAILURES", after: 40 });
  });

  test("stays closed at exactly half", () => {
    expect(feed(times(200, "success", "transient"), 99)).toBeUndefined();
  });

  test("opens when five different devices are suspect in succession", () => {
    expect(feed(times(9, "suspect"), 100)).toEqual({ reason: "SUSPECTS_IN_A_ROW", after: 5 });
  });

  test("does not take one success among the suspects for a fault of the endpoint", () => {
    expect(feed(times(100, "suspect", "suspect", "suspect", "suspect", "success"), 100_000)).toEqual({
      reason: "MOSTLY_FAILURES", // 32 of 40: something is wrong, whoever it is
      after: 41, // the 40th is a success
    });
  });

  test("does not let one device of many stop the others", () => {
    const window = new OutcomeWindow();
    expect(feed(times(15, "success"), 15, window)).toBeUndefined();
    expect(feed(times(100, "suspect"), 1, window)?.after).toBeGreaterThan(30); // nobody else is there any more
    const busy = new OutcomeWindow();
    for (let round = 0; round < 200; round += 1) {
      expect(busy.note("broken", "transient")).toBeUndefined();
      expect(busy.note("broken", "suspect")).toBeUndefined();
      expect(busy.note(`d${round}`, "success")).toBeUndefined();
    }
  });

  test("opens for a fleet of two devices too, when both fail", () => {
    expect(feed(times(30, "transient"), 2)).toEqual({ reason: "FAILURES_IN_A_ROW", after: 20 });
  });

  test("opens at once for what no device can cause", () => {
    expect(feed(["success", "endpoint"], 2)).toEqual({ reason: "ENDPOINT_FAULT", after: 2 });
  });

  test("begins anew after it opened", () => {
    const window = new OutcomeWindow();
    feed(times(20, "transient"), 30, window);
    expect(feed(times(19, "transient"), 30, window)).toBeUndefined();
  });
});
