import { EngineError } from "../engine-error.ts";

/**
 * What the engine does with each property of a resource type: performs it, or knows that it has no effect on one
 * machine, for the reason given. A property that is not in the table is refused.
 */
export type PropertyTable = Readonly<Record<string, typeof performed | { readonly noEffect: string }>>;

export const performed = "performed";

export function noEffect(reason: string): { readonly noEffect: string } {
  return { noEffect: reason };
}

/** The resolved properties of one resource or of an object in it, read by kind and with clear errors. */
export class Properties {
  readonly #values: Readonly<Record<string, unknown>>;
  /** Logical ID and the way inside, for messages. */
  readonly at: string;

  /** @throws {EngineError} `ERR_PROPERTY_UNSUPPORTED` for a property that the table does not have. */
  constructor(value: unknown, table: PropertyTable, at: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new EngineError("ERR_PROPERTY_INVALID", `${at} is ${JSON.stringify(value)}, not an object`);
    }
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(table, key)) continue;
      throw new EngineError("ERR_PROPERTY_UNSUPPORTED", `${at} has the property ${key}, which is not performed`);
    }
    this.#values = { ...value };
    this.at = at;
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.#missing(name);
  }

  optionalText(name: string): string | undefined {
    const value = this.#values[name];
    return value === undefined || typeof value === "string" ? value : this.#invalid(name, "text");
  }

  /** A whole number, or text that CloudFormation would read as one. */
  optionalNumber(name: string, minimum: number, maximum: number): number | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    const number = typeof value === "string" && value !== "" ? Number(value) : value;
    if (Number.isInteger(number) && Number(number) >= minimum && Number(number) <= maximum) return Number(number);
    return this.#invalid(name, `a whole number from ${minimum} to ${maximum}`);
  }

  flag(name: string, byDefault: boolean): boolean {
    const value = this.#values[name] ?? byDefault;
    if (value === true || value === "true") return true;
    return value === false || value === "false" ? false : this.#invalid(name, "true or false");
  }

  list(name: string): readonly unknown[] {
    const value = this.#values[name] ?? [];
    return Array.isArray(value) ? value : this.#invalid(name, "a list");
  }

  /** An object whose keys are the user's, e.g. environment variables. */
  texts(name: string): Readonly<Record<string, string>> {
    const value = this.#values[name] ?? {};
    const isObject = typeof value === "object" && !Array.isArray(value);
    const isTexts = isObject && Object.values(value).every((item) => typeof item === "string");
    return isTexts ? (value as Record<string, string>) : this.#invalid(name, "an object of texts");
  }

  child(name: string, table: PropertyTable): Properties {
    return this.optionalChild(name, table) ?? this.#missing(name);
  }

  optionalChild(name: string, table: PropertyTable): Properties | undefined {
    const value = this.#values[name];
    return value === undefined ? undefined : new Properties(value, table, `${this.at}.${name}`);
  }

  value(name: string): unknown {
    return this.#values[name];
  }

  #missing(name: string): never {
    throw new EngineError("ERR_PROPERTY_INVALID", `${this.at} has no ${name}`);
  }

  #invalid(name: string, wanted: string): never {
    const shown = JSON.stringify(this.#values[name]);
    throw new EngineError("ERR_PROPERTY_INVALID", `${this.at}.${name} is ${shown}, not ${wanted}`);
  }
}
