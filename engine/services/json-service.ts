import { type Service, ServiceError } from "./service-endpoint.ts";

/** What an operation does with the members of its request. @throws {ServiceError} */
export type Operation = (input: Readonly<Record<string, unknown>>, signal: AbortSignal) => object | Promise<object>;

export interface JsonServiceOptions {
  /** The part of `x-amz-target` before the operation's name. */
  readonly target: string;
  readonly contentType: "application/x-amz-json-1.0" | "application/x-amz-json-1.1";
  /** By name. Any other is refused. */
  readonly operations: Readonly<Record<string, Operation>>;
  /** An error's type on the wire, and its code in `x-amzn-query-error`, where they are not its name. */
  readonly onTheWire?: (error: ServiceError) => { readonly type: string; readonly code: string };
}

/**
 * A service with the AWS JSON protocol: one path, the operation in a header.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
export function jsonService({ target, contentType, operations, onTheWire }: JsonServiceOptions): Service {
  const headers = { "content-type": contentType };
  return {
    async answer({ headers: asked, body, signal }) {
      const name = String(asked["x-amz-target"]).replace(`${target}.`, "");
      const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
      if (operation === undefined) {
        throw new ServiceError("UnknownOperationException", `${name} is not performed here`);
      }
      return { status: 200, headers, body: await operation(parseMembers(body), signal) };
    },
    refuse(error) {
      const { type, code } = onTheWire?.(error) ?? { type: error.type, code: undefined };
      const query = code === undefined ? {} : { "x-amzn-query-error": code };
      return {
        status: error.status,
        headers: { ...headers, ...query },
        body: { __type: type, message: error.message },
      };
    },
  };
}

/** The members of a request's body. @throws {ServiceError} where it is no JSON object. */
export function parseMembers(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body === "" ? "{}" : body);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below, as of JSON that is no object.
  }
  throw new ServiceError("SerializationException", "the request is not a JSON object");
}
