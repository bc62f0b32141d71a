/**
 * What a command is to its device: *state* is how the device is to be, retained by the broker, the newest wins; a
 * *request* is asked once, expires, and is answered.
 */
export type CommandKind = "state" | "request";

/** What has become of a command. A broker's PUBACK is never called delivery: only the device's own answer is. */
export type CommandState =
  | "recorded" // in the ledger, at no broker yet
  | "published" // at least one broker has acknowledged it
  | "succeeded" // the device says that it did it
  | "failed" // the device says that it could not
  | "expired" // a request that nobody answered in time
  | "superseded" // a state that a newer one took the place of
  | "cleared"; // a state that was taken back

/** The device's word on a command. */
export type ReplyStatus = "succeeded" | "failed";

/** Whether nothing more is expected of a command. */
export function isEnded(state: CommandState): boolean {
  return state !== "recorded" && state !== "published";
}
