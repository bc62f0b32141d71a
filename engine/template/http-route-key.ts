import { EngineError } from "../engine-error.ts";
import type { HttpRoutePlan } from "./plan.ts";

const methods = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/**
 * The method and path of a route key; undefined for `$default`.
 *
 * @throws {EngineError} `ERR_PROPERTY_INVALID`
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */
export function readTarget(key: string, at: string): HttpRoutePlan["target"] {
  if (key === "$default") return undefined;
  const [, method = "", path = ""] = /^([A-Z]+) \/(.*)$/.exec(key) ?? [];
  const segments = path.split("/");
  const isUsable = segments.every((segment, index) => isSegment(segment, index === segments.length - 1));
  if (methods.includes(method) && isUsable) return { method, segments };
  throw new EngineError("ERR_PROPERTY_INVALID", `${at} is ${key}, not $default or a method and a path`);
}

/** A greedy variable, `{proxy+}`, takes all that follows: it is the last one. */
function isSegment(segment: string, isLast: boolean): boolean {
  if (/^\{\w+\+\}$/.test(segment)) return isLast;
  return /^\{\w+\}$/.test(segment) || !/[{}]/.test(segment);
}
