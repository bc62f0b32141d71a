import { expect, test } from "vitest";
import { metersBetween, Tracker } from "./tracker.ts";
import { readTrackingCommand, type TrackingSettings } from "./tracking.ts";

test("sends its position every second until it is told otherwise", () => {
  const tracker = new Tracker();
  expect(drive(tracker, [0, 10, 20])).toEqual([[0], [10], [20]]);
});

test.for([
  ["nothing while it does not track", { isTracking: false }, [0, 10, 20], []],
  [
    "what it took, as often as it is told",
    { isTracking: true, transmissionSeconds: 3 },
    [0, 10, 20, 30],
    [[0, 10, 20]],
  ],
  [
    "a position every so many seconds",
    { isTracking: true, sampling: { seconds: 2 }, transmissionSeconds: 4 },
    [0, 10, 20, 30, 40, 50, 60, 70],
    [
      [10, 30],
      [50, 70],
    ],
  ],
  [
    "only positions that are far enough from the one before",
    { isTracking: true, sampling: { meters: 25 }, transmissionSeconds: 6 },
    [0, 10, 20, 30, 40, 60],
    [[0, 30, 60]],
  ],
  ["nothing where it did not move far enough", { isTracking: true, sampling: { meters: 25 } }, [0, 10, 20], [[0]]],
] as const)("sends %s", ([, args, way, sent]) => {
  const tracker = new Tracker();
  tracker.set(settings(args));
  expect(drive(tracker, way)).toEqual(sent);
});

test("new settings hold from the next second on, and drop what was not sent", () => {
  const tracker = new Tracker();
  tracker.set(settings({ isTracking: true, transmissionSeconds: 3 }));
  drive(tracker, [0, 10]);
  tracker.set(settings({ isTracking: false }));
  expect(drive(tracker, [20, 30])).toEqual([]);
  tracker.set(settings({ isTracking: true }));
  expect(drive(tracker, [40])).toEqual([[40]]);
});

test("measures metres in both directions", () => {
  const berlin = { lat: 52.52, lon: 13.405, at: 0 };
  expect(metersBetween(berlin, { ...berlin, lat: 52.53 })).toBeCloseTo(1112, 0);
  expect(metersBetween(berlin, { ...berlin, lon: 13.415 })).toBeCloseTo(677, 0);
});

function settings(args: unknown): TrackingSettings {
  const command = readTrackingCommand({ command: "track", args });
  if (command.command !== "track") throw new Error("reads something else");
  return command.args;
}

/** A second at each of the places, which are metres to the north: what was sent, in metres again. */
function drive(tracker: Tracker, way: readonly number[]): readonly (readonly number[])[] {
  return way.flatMap((meters) => {
    const body = tracker.afterSecond({ lat: meters / 111_195, lon: 0, at: 0 });
    return body === undefined ? [] : [(body.path ?? [body]).map(({ lat }) => Math.round(lat * 111_195))];
  });
}
