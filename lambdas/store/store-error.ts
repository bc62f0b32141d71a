/** Why a table did not do what it was asked to, beside what the AWS SDK itself rejects with. */
export type StoreErrorCode =
  | "NOT_WRITTEN" // the table left items of a batch unwritten, each time it was asked
  | "NOT_READ"; // the table left keys of a batch unread, each time it was asked

/** The table is busier than it can be: the same may succeed later. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
