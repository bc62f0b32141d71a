import type { IncomingMessage } from "node:http";

/** A request's body, or why there is none. */
export type Body =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "too-large"; readonly maxBytes: number }
  /** The connection ended, or was ended, before the body did. */
  | { readonly kind: "gone" };

/** API Gateway's. */
const maxBytes = 10 * 1024 * 1024;

/** How long the rest of a body that is too large is read, so that its sender sees the answer before the end. */
const lingerMs = 2_000;

/**
 * Reads a body to its end.
 *
 * @param isKept False for the body of a request that is refused anyway: it is read, and not held in memory.
 */
export async function readBody(request: IncomingMessage, { isKept }: { readonly isKept: boolean }): Promise<Body> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return discardRest(request);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) return discardRest(request);
      if (isKept) chunks.push(chunk);
    }
  } catch {
    return { kind: "gone" };
  }
  return { kind: "read", bytes: Buffer.concat(chunks) };
}

function discardRest(request: IncomingMessage): Body {
  const { socket } = request;
  request.on("error", () => {}).resume();
  const limit = setTimeout(() => socket.destroy(), lingerMs).unref();
  request.once("end", () => clearTimeout(limit));
  return { kind: "too-large", maxBytes };
}
