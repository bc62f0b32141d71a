/** A double holds every number of up to 15 digits; one of 16 characters may have more. */
const LONG_DIGITS = 16;
/** A double holds exponents up to 308, and loses digits of the smallest numbers. */
const EXPONENT_DIGITS = 3;

/**
 * Whether JSON text may have a number that a double cannot hold: 16 digits and points in a row, or an exponent of three
 * digits. Digits in strings count as well. It runs for every payload, and so looks at every third byte only: a row of
 * three digits has one of them.
 */
export function hasLongNumber(bytes: Uint8Array): boolean {
  const { length } = bytes;
  const lastOfThree = length - 2 * EXPONENT_DIGITS;
  for (let index = EXPONENT_DIGITS - 1; ; ) {
    // Three at a time where there are: most bytes are in texts, and what this takes is the counting.
    while (
      index < lastOfThree &&
      !isDigitOrPoint(bytes[index] as number) &&
      !isDigitOrPoint(bytes[index + EXPONENT_DIGITS] as number) &&
      !isDigitOrPoint(bytes[index + 2 * EXPONENT_DIGITS] as number)
    ) {
      index += 3 * EXPONENT_DIGITS;
    }
    while (index < length && !isDigitOrPoint(bytes[index] as number)) index += EXPONENT_DIGITS;
    if (index >= length) return false;
    let before = index - 1;
    while (before >= 0 && isDigitOrPoint(bytes[before] as number)) before -= 1;
    let behind = index + 1;
    while (behind < length && isDigitOrPoint(bytes[behind] as number)) behind += 1;
    const count = behind - before - 1;
    if (count >= LONG_DIGITS || (count >= EXPONENT_DIGITS && isExponent(bytes, before))) return true;
    // The next row begins behind what ended this one.
    index = behind + EXPONENT_DIGITS;
  }
}

/** Slashes count too, being between the two: so one comparison is enough, of an unsigned difference. */
function isDigitOrPoint(byte: number): boolean {
  return (byte - POINT) >>> 0 <= NINE - POINT;
}

const POINT = 0x2e;
const NINE = 0x39;

/** Whether an e stands here, or before a sign that does. */
function isExponent(bytes: Uint8Array, index: number): boolean {
  const byte = bytes[index] ?? 0;
  const letter = byte === 0x2b || byte === 0x2d ? (bytes[index - 1] ?? 0) : byte;
  return (letter | 0x20) === 0x65;
}
