import type { SchemeProblemCode } from "./scheme-error.ts";

/** Notes one fault; `at` is the key's way from the top. */
export type Report = (code: SchemeProblemCode, at: string, message: string) => void;

/** Looks at one value of a configuration and reports what is wrong with it. */
export type Check = (value: unknown, at: string, report: Report) => void;

/** The keys of an object. A key whose check is wrapped in `optional` may be absent; unknown keys are reported. */
export type Keys = Readonly<Record<string, Check | Optional>>;

interface Optional {
  readonly optional: Check;
}

export function optional(check: Check): Optional {
  return { optional: check };
}

export function object(keys: Keys): Check {
  return (value, at, report) => {
    if (!isObject(value)) {
      report("CONFIG_TYPE", at, `${show(value)} is not an object`);
      return;
    }
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(keys, key)) reportUnknownKey(key, Object.keys(keys), join(at, key), report);
    }
    for (const [key, rule] of Object.entries(keys)) {
      const isAbsent = !Object.hasOwn(value, key) || value[key] === undefined;
      if (!isAbsent) (typeof rule === "function" ? rule : rule.optional)(value[key], join(at, key), report);
      else if (typeof rule === "function") report("CONFIG_MISSING", join(at, key), "is required");
    }
  };
}

/** An object whose keys the user names. */
export function record(keyPattern: RegExp, keyRule: string, check: Check): Check {
  return (value, at, report) => {
    if (!isObject(value)) {
      report("CONFIG_TYPE", at, `${show(value)} is not an object`);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      if (!keyPattern.test(key)) report("CONFIG_RANGE", join(at, key), `the name '${key}' is not ${keyRule}`);
      check(item, join(at, key), report);
    }
  };
}

export function list(check: Check): Check {
  return (value, at, report) => {
    if (!Array.isArray(value)) report("CONFIG_TYPE", at, `${show(value)} is not a list`);
    else for (const [index, item] of value.entries()) check(item, `${at}[${index}]`, report);
  };
}

/** A list of so many items, which the message calls by their name. */
export function listOf(minimum: number, maximum: number, items: string, check: Check): Check {
  return (value, at, report) => {
    list(check)(value, at, report);
    if (!Array.isArray(value) || (value.length >= minimum && value.length <= maximum)) return;
    report("CONFIG_RANGE", at, `${value.length} ${items} are not ${minimum} to ${maximum}`);
  };
}

export function text(pattern: RegExp, rule: string): Check {
  return (value, at, report) => {
    if (typeof value !== "string") report("CONFIG_TYPE", at, `${show(value)} is not text`);
    else if (!pattern.test(value)) report("CONFIG_RANGE", at, `${show(value)} is not ${rule}`);
  };
}

export function integer(minimum: number, maximum: number): Check {
  return (value, at, report) => {
    if (typeof value !== "number") report("CONFIG_TYPE", at, `${show(value)} is not a number`);
    else if (!Number.isInteger(value) || value < minimum || value > maximum) {
      report("CONFIG_RANGE", at, `${value} is not a whole number from ${minimum} to ${maximum}`);
    }
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as it stands in a message, cut to a readable length. */
export function show(value: unknown): string {
  // A BigInt has no JSON, a function neither.
  const shown = typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
}

export function join(at: string, key: string): string {
  return at === "" ? key : `${at}.${key}`;
}

function reportUnknownKey(key: string, known: readonly string[], at: string, report: Report): void {
  const nearest = known.map((name) => ({ name, edits: editDistance(key, name) })).sort((a, b) => a.edits - b.edits)[0];
  const hint = nearest && nearest.edits <= 2 ? `did you mean '${nearest.name}'?` : `known are ${known.join(", ")}`;
  report("CONFIG_UNKNOWN_KEY", at, `there is no key '${key}'; ${hint}`);
}

/** Insertions, deletions and replacements between two words (Levenshtein), a row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
