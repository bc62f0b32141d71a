import { hash } from "node:crypto";

/** What the seed has in store for one attempt. */
export interface Chance {
  /** From 0 up to 1: the attempt fails where it is less than the part that fails. */
  readonly failure: number;
  /** Whether the API has taken the message when it fails. */
  readonly isTaken: boolean;
  /** A whole number, to choose among the forms of a fault. */
  readonly form: number;
}

/** The same for the same attempt of the same message, in whatever order and however often the attempts come. */
export function chanceOf(seed: number, messageNumber: number, attempt: string): Chance {
  const bytes = hash("sha1", `${seed}/${messageNumber}/${attempt}`, "buffer");
  return {
    failure: bytes.readUInt32LE(0) / 2 ** 32,
    isTaken: bytes.readUInt8(4) % 2 === 0,
    form: bytes.readUInt8(5),
  };
}
