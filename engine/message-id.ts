import { createHash } from "node:crypto";

/**
 * An id for one of several messages that one message becomes, the same at each delivery: a name-based UUID (RFC 9562
 * §5.8), so that an API that sees them all does not take them for one.
 */
export function deriveMessageId(id: string, name: string): string {
  const digits = createHash("sha256").update(`${id}/${name}`).digest("hex");
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join("-");
}
