/** AWS IoT SQL numbers have 34 digits and magnitudes from 1E-999 to 9.99…E999. */
const MAX_DIGITS = 34;
const MAX_EXPONENT = 999;
// Every decimal of up to 15 digits survives the way through a double (IEEE 754, DBL_DIG) within the normal range.
const SAFE_DIGITS = 15;
const SAFE_EXPONENT = 290;

/**
 * A number of the SQL. It is a double wherever the double's shortest spelling is the number itself, and a `Decimal`
 * only where a double would lose digits. Each number thus has one representation, and the common ones are fast.
 */
export type SqlNumber = number | Decimal;

/** `coefficient × 10^exponent`, for numbers that a double cannot hold. `JSON.stringify` prints all its digits. */
export class Decimal {
  readonly coefficient: bigint;
  readonly exponent: number;

  constructor(coefficient: bigint, exponent: number) {
    this.coefficient = coefficient;
    this.exponent = exponent;
  }

  /** An Int in standard notation; otherwise as Java's `BigDecimal` prints it: `1.5`, `1E-7`, `1E+40`. */
  toString(): string {
    const sign = this.coefficient < 0n ? "-" : "";
    const digits = (this.coefficient < 0n ? -this.coefficient : this.coefficient).toString();
    const magnitude = digits.length - 1 + this.exponent;
    if (this.exponent >= 0 && magnitude < MAX_DIGITS) return sign + digits + "0".repeat(this.exponent);
    if (this.exponent >= 0 || magnitude < -6) return sign + scientific(digits, magnitude);
    if (magnitude < 0) return `${sign}0.${"0".repeat(-magnitude - 1)}${digits}`;
    return `${sign}${digits.slice(0, magnitude + 1)}.${digits.slice(magnitude + 1)}`;
  }

  toJSON(): unknown {
    return rawJson(this.toString());
  }
}

// JSON.rawJSON is in Node 22 and newer, but not yet in TypeScript's es2024 library.
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

function scientific(digits: string, magnitude: number): string {
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return `${mantissa}E${magnitude < 0 ? "" : "+"}${magnitude}`;
}

/** The number as coefficient and exponent, whatever its representation. */
export function exactly(number: SqlNumber): Decimal {
  if (typeof number !== "number") return number;
  return Number.isSafeInteger(number) ? new Decimal(BigInt(number), 0) : split(String(number));
}

/**
 * The number that the text spells; undefined beyond the range.
 * @param text a number as JSON and the SQL write it
 */
export function parseNumber(text: string): SqlNumber | undefined {
  const { coefficient, exponent } = split(text);
  return numberOf(coefficient, exponent);
}

function split(text: string): Decimal {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const places = Number(exponent) - fraction.length;
  const digits = whole + fraction;
  return digits.length > LONG_DIGITS ? shorten(digits, places) : new Decimal(BigInt(digits), places);
}

/** More than what is kept; a message's 100,000 digits would take milliseconds each time that they are read. */
const LONG_DIGITS = 100;

/** Keeps as many digits as rounding looks at; a last 1 says that there were more than zeros. */
function shorten(digits: string, exponent: number): Decimal {
  const sign = digits.startsWith("-") ? "-" : "";
  const significant = digits.replace(/^-?0*/, "");
  const kept = significant.slice(0, LONG_DIGITS - 1);
  const isExact = /^0*$/.test(significant.slice(kept.length));
  const coefficient = BigInt(`${sign}${kept || "0"}${isExact ? "0" : "1"}`);
  return new Decimal(coefficient, exponent + significant.length - kept.length - 1);
}

/**
 * The one representation of `coefficient × 10^exponent`, rounded half-even to 34 digits (IEEE 754 decimal128);
 * undefined when it is too large, 0 when it is too small.
 */
export function numberOf(coefficient: bigint, exponent: number): SqlNumber | undefined {
  const rounded = strip(round34(coefficient, exponent));
  if (rounded.coefficient === 0n) return 0;
  const digits = digitCount(rounded.coefficient);
  const magnitude = digits - 1 + rounded.exponent;
  if (magnitude > MAX_EXPONENT) return undefined;
  if (magnitude < -MAX_EXPONENT) return 0;
  const double = Number(`${rounded.coefficient}e${rounded.exponent}`);
  if (digits <= SAFE_DIGITS && Math.abs(magnitude) < SAFE_EXPONENT) return double;
  return isSpelledBy(rounded, double) ? double : rounded;
}

function isSpelledBy(decimal: Decimal, double: number): boolean {
  if (!Number.isFinite(double) || double === 0) return false;
  const spelled = strip(split(String(double)));
  return spelled.coefficient === decimal.coefficient && spelled.exponent === decimal.exponent;
}

function round34(coefficient: bigint, exponent: number): Decimal {
  const excess = digitCount(coefficient) - MAX_DIGITS;
  if (excess <= 0) return new Decimal(coefficient, exponent);
  const unit = 10n ** BigInt(excess);
  const remainder = abs(coefficient % unit) * 2n;
  let kept = coefficient / unit;
  if (remainder > unit || (remainder === unit && kept % 2n !== 0n)) kept += coefficient < 0n ? -1n : 1n;
  return new Decimal(kept, exponent + excess);
}

/** Without trailing zeros; a whole number keeps none either, its exponent says them. */
function strip({ coefficient, exponent }: Decimal): Decimal {
  if (coefficient === 0n || coefficient % 10n !== 0n) return new Decimal(coefficient, exponent);
  const text = coefficient.toString();
  const kept = text.replace(/0+$/, "");
  return new Decimal(BigInt(kept), exponent + text.length - kept.length);
}

export function digitCount(coefficient: bigint): number {
  return abs(coefficient).toString().length;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
