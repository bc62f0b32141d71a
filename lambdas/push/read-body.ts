import { isUtf8 } from "node:buffer";
import type * as z from "zod";
import { MessageError, quote } from "../../scheme/message-error.ts";
import { cutMembers, type RawMember } from "./cut-members.ts";
import { describeIssue, pointerTo } from "./describe-issue.ts";
import { type Fault, PushError } from "./push-error.ts";
import type { PushRequest } from "./push-request.ts";

/** A body's members, by their names: as their schema has them, and as the caller spelled them. */
export interface ReadBody<Schema extends z.ZodType> {
  readonly value: z.output<Schema>;
  readonly raw: ReadonlyMap<string, string>;
}

export interface ReadBodyOptions<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** Bytes of a body that is looked at. */
  readonly maxBytes: number;
  /** Looks at what is there before anybody asks what is missing. @throws {PushError} */
  readonly precheck?: (raw: ReadonlyMap<string, string>) => void;
}

/** More faults than this nobody reads. */
const maxFaults = 20;

/**
 * Reads a request's body. It is parsed to be looked at only: what goes on to a device is cut out of it.
 *
 * @throws {PushError}
 */
export function readBody<Schema extends z.ZodType>(
  { headers, body }: Pick<PushRequest, "headers" | "body">,
  { schema, maxBytes, precheck }: ReadBodyOptions<Schema>,
): ReadBody<Schema> {
  checkMediaType(headers["content-type"] ?? "");
  if (body.length > maxBytes) {
    throw new PushError("PAYLOAD_TOO_LARGE", `the body has ${body.length} bytes, the limit is ${maxBytes}`);
  }
  const members = readMembers(body);
  const raw = new Map(members);
  precheck?.(raw);
  if (raw.size < members.length) throw refuse(findRepeated(members));
  const input = Object.fromEntries(members.map(([name, text]) => [name, JSON.parse(text)]));
  const { success, data, error } = schema.safeParse(input, { reportInput: true });
  if (!success) throw refuse(error.issues.flatMap(describeIssue));
  return { value: data, raw };
}

/** `application/json` and what is built on it (RFC 6839), whatever its parameters are. */
function checkMediaType(contentType: string): void {
  const [type = ""] = contentType.split(";");
  if (/^\s*application\/([!#$%&'*+.^_`|~\w-]+\+)?json\s*$/i.test(type)) return;
  throw new PushError("UNSUPPORTED_MEDIA_TYPE", `content type ${quote(contentType)} is not application/json`);
}

function readMembers(body: Buffer): readonly RawMember[] {
  if (!isUtf8(body)) throw new PushError("BODY_NOT_JSON", `the body of ${body.length} bytes is not UTF-8`);
  try {
    const members = cutMembers(body);
    if (members !== undefined) return members;
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    const code = error.code === "ENVELOPE_NOT_JSON" ? "BODY_NOT_JSON" : "REQUEST_INVALID";
    throw new PushError(code, error.message, { cause: error });
  }
  throw refuse([{ pointer: "#", detail: "the body is no object" }]);
}

/** Two readers of one body would disagree on which one counts. */
function findRepeated(members: readonly RawMember[]): readonly Fault[] {
  const seen = new Set<string>();
  const repeated = new Set(members.flatMap(([name]) => (seen.size === seen.add(name).size ? [name] : [])));
  return [...repeated].map((name) => ({ pointer: pointerTo([name]), detail: `${quote(name)} comes twice` }));
}

function refuse(faults: readonly Fault[]): PushError {
  const isExpiry = faults.every(({ pointer }) => pointer === "#/expiresIn");
  const shown = faults.slice(0, maxFaults);
  const detail = shown.map((fault) => `${fault.pointer}: ${fault.detail}`).join("; ");
  return new PushError(isExpiry ? "EXPIRY_INVALID" : "REQUEST_INVALID", detail, { faults: shown });
}
