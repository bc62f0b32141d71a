import * as z from "zod";
import { problemCodes, problems } from "./problems.ts";
import { commandId } from "./request-schemas.ts";

const time = z.iso.datetime();
const version = z.int().min(0).describe("Greater is newer");
const args = z.unknown().optional().describe("As the caller spelled it");

/** One try to have a broker take a command. */
export const attempt = z.strictObject({
  at: time,
  broker: z.string(),
  error: z.string().optional().describe("Absent where the broker acknowledged it"),
});

/** What a device said of a command. */
export const reply = z.strictObject({
  status: z.enum(["succeeded", "failed"]),
  at: time,
  body: z.unknown().describe("As the device spelled it"),
});

const commandMembers = {
  id: commandId,
  deviceId: z.string(),
  kind: z.enum(["state", "request"]),
  command: z.string(),
};

const progress = {
  state: z
    .enum(["recorded", "published", "succeeded", "failed", "expired", "superseded", "cleared"])
    .describe("published: a broker has it. Only succeeded and failed are the device's own word"),
  version: version.optional(),
  issuedAt: time,
  expiresAt: time.optional().describe("When a request is of no use any more"),
  publishedAt: time.optional().describe("When the first broker acknowledged it"),
  endedAt: time.optional(),
  attempts: z.array(attempt).describe("The last ones"),
  reply: reply.optional(),
};

export const command = z.strictObject({ ...commandMembers, args, ...progress });

/** Answer of `listCommands`. */
export const commandList = z.strictObject({
  commands: z.array(command).describe("Newest first"),
  next: commandId.optional().describe("Where older ones may be: before of the next page"),
});

export const device = z.strictObject({
  deviceId: z.string(),
  version: version.describe("Of the newest state command or clearing; 0 where there was none"),
  command: z
    .strictObject({ id: commandId, command: z.string(), args, issuedAt: time })
    .optional()
    .describe("The newest state command; absent where there is none, or it was cleared"),
  brokers: z.record(z.string(), version).describe("Versions that brokers have acknowledged"),
});

export const fault = z.strictObject({
  pointer: z.string().describe("JSON pointer in a URI fragment (RFC 6901), # being the body"),
  detail: z.string(),
});

/** RFC 9457. */
export const problem = z.strictObject({
  type: z.string().regex(/^urn:trestle:problem:[A-Z_]+$/),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe("What was wrong with this request: values and limits"),
  code: z.enum(problemCodes).describe(problemCodes.map((code) => `${code}: ${problems[code].remedy}`).join("\n")),
  errors: z.array(fault).optional(),
  command: command.optional().describe("The command that was not answered, of REPLY_TIMEOUT"),
});

export const outcome = z.strictObject({
  deviceId: z.string(),
  status: z.int().describe("What a call for this device alone would have been answered"),
  command: z
    .strictObject({ ...commandMembers, ...progress })
    .optional()
    .describe("The command without its args"),
  problem: problem.optional(),
});

/** Answer of `sendCommands`. */
export const outcomes = z.strictObject({
  outcomes: z.array(outcome).describe("One for each device, in the order given"),
});

/** Answer of `publish`. */
export const publication = z.strictObject({ messageId: z.string(), topic: z.string(), issuedAt: time });
