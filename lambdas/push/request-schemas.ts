// As a namespace: of `import { z }` no bundler can leave anything out.
import * as z from "zod";

/** Devices of one call of `POST /commands`. */
export const maxTargets = 1_000;
/** Seven days: what a device has not fetched by then it need not hear. */
export const maxExpirySeconds = 604_800;
export const defaultExpirySeconds = 3_600;
/** API Gateway gives up after 30 seconds. */
export const maxWaitSeconds = 25;
/** Commands of one page. */
export const maxListed = 100;

const commandIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A UUID of version 7, in lower case as keys of a table have to be. */
export const commandId = z.string().regex(commandIdPattern).describe("UUID version 7");

/** Whether a text can be a command's id. */
export function isCommandId(text: string): boolean {
  return commandIdPattern.test(text);
}

const members = {
  command: z
    .string()
    .regex(/^[!-~]{1,128}$/)
    .describe("What to do, by a name that the device knows: 1 to 128 characters of visible ASCII"),
  args: z.unknown().optional().describe("Any JSON, which reaches the device digit for digit"),
  kind: z
    .enum(["state", "request"])
    .default("state")
    .describe("A state is how the device is to be: retained, the newest wins. A request is asked once, and expires"),
  expiresIn: z
    .int()
    .min(1)
    .max(maxExpirySeconds)
    .optional()
    .describe(
      `Seconds after which a request is of no use any more, ${defaultExpirySeconds} by default; not for a state`,
    ),
};

/** Body of `sendCommand`. */
export const sendCommandBody = z.strictObject(members);

/** Body of `sendCommands`. What is no device id is refused by itself, and the others are sent the command. */
export const sendCommandsBody = z.strictObject({
  deviceIds: z
    .array(z.string().max(256))
    .min(1)
    .max(maxTargets)
    .describe("Ids of devices; of two that are the same one counts"),
  ...members,
});

/** Body of `publish`. */
export const publishBody = z.strictObject({
  topic: z.string().describe("A topic of one of the scheme's feeds"),
  body: z.unknown().describe("Any JSON, which reaches subscribers digit for digit"),
  retain: z.boolean().default(false).describe("Whether the broker keeps it for who subscribes later"),
});

/** Digits and nothing else, read as a number. */
const count = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum));

/** Query of `sendCommand`. */
export const sendCommandQuery = z.strictObject({
  wait: count(0, maxWaitSeconds).default(0).describe("Seconds to wait for the device's answer"),
});

/** Query of `listCommands`. */
export const listCommandsQuery = z.strictObject({
  limit: count(1, maxListed).default(20).describe("Commands of one page"),
  before: commandId.optional().describe("Only commands that are older than this one"),
});

/** Query of operations that have none. */
export const noQuery = z.strictObject({});
