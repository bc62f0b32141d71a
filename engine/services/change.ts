import type { LedgerEntry } from "./ledger.ts";

/** What could not be written, on a full disk say. The same may succeed later, unlike what a queue refuses. */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

/**
 * Changes by the room that they take, the most first. Where not all that is staged can be written, it is tried without
 * what takes the most: it is the deletions that make room again.
 */
export const changeKinds = ["insert", "move", "postpone", "settle"] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** A change that is written with others in one transaction. */
export interface Change {
  /** What makes room, before anything of the transaction takes it. */
  readonly release?: () => void;
  readonly run?: () => void;
  /** What the ledger counts with it, in the same transaction. */
  readonly entries?: readonly (LedgerEntry | undefined)[];
  /** Called when it is on disk, or with the error. For an insert and a move, which are not tried again. */
  readonly done?: (error?: StorageError) => void;
}

/** Where changes wait for their transaction. */
export interface Stage {
  stage(kind: ChangeKind, change: Change): void;
  /** Writes what is staged; says whether nothing is left that could not be written. */
  flush(): boolean;
}
