import { z } from "zod";

/** How a driver takes and sends its positions; a state, so that what is left out has its default and not its last value. */
const trackingSchema = z.strictObject({
  isTracking: z.boolean(),
  /** A position counts when both have passed since the one before, as on Android. */
  sampling: z
    .strictObject({
      seconds: z.int().min(1).max(86_400).default(1),
      meters: z.int().min(0).max(100_000).default(0),
    })
    .prefault({}),
  /** Between two messages with positions. */
  transmissionSeconds: z.int().min(1).max(86_400).default(1),
});

export type TrackingSettings = z.infer<typeof trackingSchema>;

/** What a driver does until it is told otherwise. */
export const defaultTracking: TrackingSettings = trackingSchema.parse({ isTracking: true });

/** Lines of its log that a driver keeps. */
export const maxLogLines = 1000;

const commands = [
  z.strictObject({ command: z.literal("track"), args: trackingSchema }),
  z.strictObject({ command: z.literal("locate"), args: z.strictObject({}).optional() }),
  z.strictObject({
    command: z.literal("sendLog"),
    args: z.strictObject({ lines: z.int().min(1).max(maxLogLines).default(20) }).prefault({}),
  }),
] as const;

const names = commands.map(({ shape }) => shape.command.value).join(", ");

const commandSchema = z.discriminatedUnion("command", commands, {
  error: ({ code, input }) => (code === "invalid_union" ? unknownCommand(input) : undefined),
});

/** A command of the sample: `track` is a state, `locate` and `sendLog` are requests. */
export type TrackingCommand = z.infer<typeof commandSchema>;

/** @throws {Error} whose message says all that is wrong, for the people who sent the command. */
export function readTrackingCommand(body: unknown): TrackingCommand {
  const result = commandSchema.safeParse(body);
  if (result.success) return result.data;
  throw new Error(
    result.error.issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": ")).join("; "),
  );
}

function unknownCommand(input: unknown): string {
  const command = typeof input === "object" && input !== null && "command" in input ? input.command : undefined;
  return `${JSON.stringify(command) ?? "nothing"} is no command of this device, which knows ${names}`;
}
