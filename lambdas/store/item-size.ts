/** Most bytes of an item, 400 KB, less what we may reckon otherwise than DynamoDB does. */
export const maxItemBytes = 400 * 1024 - 1024;

/** A number has up to 38 digits, two in a byte, and up to two bytes more. */
const numberBytes = 21;

/**
 * What a value counts for in its item's size, rounded up.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function storedBytes(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return numberBytes;
  if (value instanceof Uint8Array) return value.byteLength;
  if (Array.isArray(value))
    return sum(
      value.map((element) => 1 + storedBytes(element)),
      3,
    );
  if (typeof value === "object" && value !== null) return sum([...attributes(value)], 3);
  return 1;
}

function* attributes(item: object): Generator<number> {
  for (const [name, value] of Object.entries(item)) {
    if (value !== undefined) yield 1 + Buffer.byteLength(name) + storedBytes(value);
  }
}

function sum(numbers: readonly number[], begin: number): number {
  return numbers.reduce((total, number) => total + number, begin);
}
