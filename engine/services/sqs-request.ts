import { invalidValue, sqsError } from "./sqs-errors.ts";

/** The most that a standard queue takes in a message and in a batch. */
export const maxMessageBytes = 1_048_576;
const maxEntries = 10;

/** The members of a request to SQS, or of an entry of a batch, read by kind and refused in SQS's words. */
export class SqsRequest {
  readonly #members: Readonly<Record<string, unknown>>;

  /** @throws {ServiceError} for a member that is not known: what it asks for would not be done. */
  constructor(members: Readonly<Record<string, unknown>>, known: readonly string[]) {
    for (const [name, value] of Object.entries(members)) {
      // The SDK's clients write no member for what was not set; others write null.
      if (value === null || known.includes(name)) continue;
      throw sqsError("UnsupportedOperation", `${name} is not performed here`);
    }
    this.#members = members;
  }

  text(name: string): string {
    const value = this.#members[name];
    if (typeof value === "string" && value !== "") return value;
    throw sqsError("MissingParameter", `The request must contain the parameter ${name}.`);
  }

  /** @param range How SQS says what it takes. */
  integer(name: string, minimum: number, maximum: number, range: string): number | undefined {
    const value = this.#members[name] ?? undefined;
    if (value === undefined) return undefined;
    if (Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum) return Number(value);
    throw invalidValue(value, name, range);
  }

  texts(name: string): readonly string[] {
    const value = this.#members[name] ?? [];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** The entries of a batch with their ids. @throws {ServiceError} where SQS would refuse the batch as a whole. */
  entries(kind: string): readonly (readonly [id: string, members: Readonly<Record<string, unknown>>])[] {
    const value = this.#members.Entries;
    const items = Array.isArray(value) ? (value as Readonly<Record<string, unknown>>[]) : [];
    if (items.length === 0) {
      throw sqsError("EmptyBatchRequest", `There should be at least one ${kind} in the request.`);
    }
    if (items.length > maxEntries) {
      const message = `Maximum number of entries per request are ${maxEntries}. You have sent ${items.length}.`;
      throw sqsError("TooManyEntriesInBatchRequest", message);
    }
    const ids = new Set<string>();
    return items.map(({ Id, ...members }) => {
      const id = String(Id);
      if (!/^[\w-]{1,80}$/.test(id)) throw sqsError("InvalidBatchEntryId", invalidId);
      if (ids.has(id)) throw sqsError("BatchEntryIdsNotDistinct", `Id ${id} repeated.`);
      ids.add(id);
      return [id, members];
    });
  }
}

const invalidId =
  "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
