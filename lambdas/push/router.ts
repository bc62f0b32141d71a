import { type PushOperationId, type PushRoute, pushOperations } from "../../scheme/command/push-operations.ts";
import { quote } from "../../scheme/message-error.ts";
import { PushError } from "./push-error.ts";

/** An operation, and what the path has in its placeholders' places. */
export interface RoutedRequest {
  readonly operation: PushOperationId;
  readonly parameters: ReadonlyMap<string, string>;
}

const routes: readonly (PushRoute & { readonly id: PushOperationId; readonly segments: readonly string[] })[] =
  Object.entries(pushOperations).map(([id, route]) => ({
    ...route,
    id: id as PushOperationId,
    segments: route.path.split("/"),
  }));

/**
 * Finds a request's operation by the segments of its path, none of which is resolved: `..` is text like any other.
 *
 * The path is not decoded here. An HTTP API's `rawPath` is, contrary to its name: the gateway has decoded it, once, and
 * checked what IAM policies say of it; a second time would let `%2564` pass for `d` behind their backs. All that a path
 * of ours can have needs no encoding.
 *
 * @throws {PushError} `NOT_FOUND`, `METHOD_NOT_ALLOWED`
 */
export function findOperation({ method, path }: { readonly method: string; readonly path: string }): RoutedRequest {
  const segments = joinDeviceId(path.split("/"));
  const candidates = routes.filter((route) => matches(route.segments, segments));
  if (candidates.length === 0) throw new PushError("NOT_FOUND", `there is nothing at ${quote(path)}`);
  const route = candidates.find((candidate) => candidate.method === method);
  if (route === undefined) {
    const allowed = candidates.map((candidate) => candidate.method).join(", ");
    const detail = `${quote(method)} is no method of ${quote(path)}, which has ${allowed}`;
    throw new PushError("METHOD_NOT_ALLOWED", detail, { headers: { allow: allowed } });
  }
  const parameters = route.segments.flatMap((segment, index): [string, string][] => {
    const name = placeholderOf(segment);
    return name === undefined ? [] : [[name, segments[index] ?? ""]];
  });
  return { operation: route.id, parameters: new Map(parameters) };
}

/** `/devices/a/b/commands` was `/devices/a%2Fb/commands`: whoever sent it hears that `a/b` is no device's id. */
function joinDeviceId(segments: readonly string[]): readonly string[] {
  const [root = "", first, ...rest] = segments;
  const last = rest.pop();
  return first === "devices" && last === "commands" && rest.length > 0 ? [root, first, rest.join("/"), last] : segments;
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((segment, index) => placeholderOf(segment) !== undefined || segment === segments[index])
  );
}

function placeholderOf(segment: string): string | undefined {
  return /^\{(\w+)\}$/.exec(segment)?.[1];
}
