/**
 * What makes a further request for a message legitimate, with the same key: that somebody on its way could not know that
 * the next one had it. Each cause stands for one further request of each message that it concerns.
 *
 * The API has a message when its parent process has the receipt, which is before any answer. The engine has it when it
 * is on its disk, which is before the PUBACK.
 */
export const doubts = {
  // Of the API's last receipt: its sender may not have learnt of it.
  hang: "the API took it and did not answer",
  reset: "the API took it and reset the connection",
  garbage: "the API took it, and what it answered is no HTTP",
  flood: "the API took it, and the head of its answer had no end",
  closed: "its connection was closed before the answer, or within 5 s and before another request",
  apiKilled: "the API was killed before its system had the whole answer",
  // Of the same: it came less than two time limits of a request before, or while the engine was started again.
  engineKilled: "the engine was killed when it may not have had the answer on disk",
  // Of the broker's last delivery to the engine: less than 5 s, in which the engine was there, after its own PUBACK.
  redelivered: "the connection of broker and engine was cut when the broker may not have had the PUBACK",
  brokerKilled: "the broker was killed when it may not have saved a PUBACK, or its device may not have had one",
} as const;
export type Doubt = keyof typeof doubts;

/** Milliseconds after which the broker has the engine's PUBACK of what it acknowledged itself, with the engine there. */
export const handoverMs = 5_000;
