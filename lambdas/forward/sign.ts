import { createHmac } from "node:crypto";
import type { HttpRequest } from "./send.ts";

/** Bytes that a key may have. */
const keyBytes = { minimum: 24, maximum: 64 } as const;

/**
 * The key in the text of a Standard Webhooks secret, `whsec_` and base64.
 *
 * @param name Of the secret; an error names it, and not its value.
 * @throws where the text is something else.
 */
export function signingKey(text: string, name: string): Buffer {
  const [, base64 = ""] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  const key = Buffer.from(base64, "base64");
  if (key.length < keyBytes.minimum || key.length > keyBytes.maximum) {
    const wanted = `whsec_ and ${keyBytes.minimum} to ${keyBytes.maximum} bytes in base64`;
    throw new Error(`the value of secret '${name}' is no signing secret: ${wanted}`);
  }
  return key;
}

/**
 * The request with a signature for each key, so that an API that knows one of them can tell that it comes from here
 * and when.
 *
 * @param id The same for every attempt, as the idempotency key is.
 * @param now Milliseconds since 1970 of this attempt.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function sign(request: HttpRequest, keys: readonly Uint8Array[], id: string, now: number): HttpRequest {
  if (keys.length === 0) return request;
  const timestamp = String(Math.floor(now / 1000));
  const signatures = keys.map((key) => {
    const hmac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(request.body);
    return `v1,${hmac.digest("base64")}`;
  });
  const fields = ["webhook-id", id, "webhook-timestamp", timestamp, "webhook-signature", signatures.join(" ")];
  return { ...request, headers: [...request.headers, ...fields] };
}
