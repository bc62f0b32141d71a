import { EngineError } from "../engine-error.ts";

/** What the intrinsic functions of one resource can refer to. */
export interface References {
  /** Value of `Ref` to a parameter, pseudo parameter or resource. */
  ref(name: string): string | undefined;
  /** Value of `Fn::GetAtt`. */
  attribute(logicalId: string, name: string): string | undefined;
}

/**
 * Replaces the intrinsic functions in a value by what they stand for.
 *
 * @throws {EngineError} `ERR_INTRINSIC_UNSUPPORTED`, `ERR_REFERENCE`, naming the resource that the value is of.
 */
export function resolveIntrinsics(value: unknown, references: References, logicalId: string): unknown {
  const resolve = (item: unknown): unknown => resolveIntrinsics(item, references, logicalId);
  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? ["", undefined];
  if (entries.length !== 1 || (name !== "Ref" && !name.startsWith("Fn::"))) {
    return Object.fromEntries(entries.map(([key, item]) => [key, resolve(item)]));
  }
  const intrinsic = Object.hasOwn(intrinsics, name) ? intrinsics[name] : undefined;
  const result = intrinsic?.(argument, { references, resolve });
  if (intrinsic === undefined) {
    throw new EngineError("ERR_INTRINSIC_UNSUPPORTED", `${logicalId} uses ${name}, which is not resolved`);
  }
  if (result === undefined) {
    throw new EngineError("ERR_REFERENCE", `${logicalId} has ${JSON.stringify(value)}, which resolves to nothing`);
  }
  return result;
}

interface Scope {
  readonly references: References;
  resolve(value: unknown): unknown;
}

/** The intrinsic functions that are resolved. Each gives undefined where its argument refers to nothing. */
const intrinsics: Readonly<Record<string, (argument: unknown, scope: Scope) => unknown>> = {
  Ref: (argument, { references }) => (typeof argument === "string" ? references.ref(argument) : undefined),
  "Fn::GetAtt": (argument, { references }) => {
    const [logicalId, ...path] = typeof argument === "string" ? argument.split(".") : asTexts(argument);
    return logicalId === undefined ? undefined : references.attribute(logicalId, path.join("."));
  },
  "Fn::Join": (argument, { resolve }) => {
    const [separator, items] = Array.isArray(argument) ? argument : [];
    const parts = resolve(items);
    return typeof separator === "string" && Array.isArray(parts) ? parts.join(separator) : undefined;
  },
  "Fn::Select": (argument, { resolve }) => {
    const [index, items] = Array.isArray(argument) ? argument : [];
    const parts = resolve(items);
    return Array.isArray(parts) ? parts[Number(resolve(index))] : undefined;
  },
  "Fn::Split": (argument, { resolve }) => {
    const [separator, source] = Array.isArray(argument) ? argument : [];
    const text = resolve(source);
    return typeof separator === "string" && typeof text === "string" ? text.split(separator) : undefined;
  },
  "Fn::Sub": (argument, { references }) => {
    if (typeof argument !== "string") return undefined;
    let isResolved = true;
    const text = argument.replaceAll(/\$\{(!?)([^}]+)\}/g, (_, bang: string, name: string) => {
      if (bang !== "") return `\${${name}}`;
      const [logicalId = "", ...path] = name.split(".");
      const value = path.length === 0 ? references.ref(name) : references.attribute(logicalId, path.join("."));
      isResolved &&= value !== undefined;
      return value ?? "";
    });
    return isResolved ? text : undefined;
  },
};

function asTexts(value: unknown): string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : [];
}
