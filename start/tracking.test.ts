import { expect, test } from "vitest";
import { readTrackingCommand } from "./tracking.ts";

const whole = { isTracking: true, sampling: { seconds: 10, meters: 50 }, transmissionSeconds: 60 };

test.for([
  [
    { command: "track", args: whole },
    { command: "track", args: whole },
  ],
  // A state says how the device is to be: what it leaves out is not as it was.
  [
    { command: "track", args: { isTracking: false } },
    { command: "track", args: { isTracking: false, sampling: { seconds: 1, meters: 0 }, transmissionSeconds: 1 } },
  ],
  [
    { command: "track", args: { isTracking: true, sampling: { meters: 25 } } },
    { command: "track", args: { isTracking: true, sampling: { seconds: 1, meters: 25 }, transmissionSeconds: 1 } },
  ],
  [{ command: "locate" }, { command: "locate" }],
  [
    { command: "locate", args: {} },
    { command: "locate", args: {} },
  ],
  [{ command: "sendLog" }, { command: "sendLog", args: { lines: 20 } }],
  [
    { command: "sendLog", args: { lines: 5 } },
    { command: "sendLog", args: { lines: 5 } },
  ],
] as const)("reads %j", ([body, command]) => {
  expect(readTrackingCommand(body)).toEqual(command);
});

test.for([
  [{ command: "explode" }, 'command: "explode" is no command of this device, which knows track, locate, sendLog'],
  [{}, "command: nothing is no command of this device, which knows track, locate, sendLog"],
  [null, "Invalid input: expected object, received null"],
  [{ command: "track" }, "args: Invalid input: expected object, received undefined"],
  [
    { command: "track", args: { isTracking: "yes" } },
    "args.isTracking: Invalid input: expected boolean, received string",
  ],
  [
    { command: "track", args: { isTracking: true, sampling: { seconds: 0 } } },
    "args.sampling.seconds: Too small: expected number to be >=1",
  ],
  [
    { command: "track", args: { isTraking: true } },
    'args.isTracking: Invalid input: expected boolean, received undefined; args: Unrecognized key: "isTraking"',
  ],
  [{ command: "locate", at: "once" }, 'Unrecognized key: "at"'],
  [{ command: "sendLog", args: { lines: 1001 } }, "args.lines: Too big: expected number to be <=1000"],
] as const)("says of %j: %s", ([body, message]) => {
  expect(() => readTrackingCommand(body)).toThrow(new Error(message));
});
