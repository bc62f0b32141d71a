import { foldHeaderName } from "../../scheme/envelope/header-filter.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { signingKey } from "./sign.ts";

/** The fields of `api.headers` and the keys of `api.signing`, ready to be used. */
export interface ApiFields {
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** Their names, as the envelope's filter compares them: a device may not set these. */
  readonly overridden: ReadonlySet<string>;
  /** Names, among the fields', of those whose values are secrets. */
  readonly secretNames: ReadonlySet<string>;
  /** Keys that requests are signed with; none where the scheme names no secret for it. */
  readonly signingKeys: readonly Uint8Array[];
}

export interface ApiHeadersOptions {
  readonly headers: Scheme["api"]["headers"];
  readonly signing: Scheme["api"]["signing"];
  /** Looks a secret's value up by the secret's name. */
  readonly fetchSecret: (name: string) => Promise<string>;
  /** Told of a secret that could not be looked up again; the value before is kept meanwhile. */
  readonly onStale: (error: unknown) => void;
  /** Milliseconds of a clock that goes on between invocations. */
  readonly now?: () => number;
}

/** A secret that was changed is used within five minutes; a fleet of environments asks once each in that time. */
const freshMs = 5 * 60_000;

/** Until the next try where a secret could not be looked up again. */
const retryMs = 30_000;

/**
 * Gives the fields of `api.headers` and the keys of `api.signing`, with their secrets kept for five minutes.
 *
 * The returned function rejects where a secret was never looked up or cannot be a field's value or a key; the error
 * names the secret and not its value.
 */
export function createApiHeaders(options: ApiHeadersOptions): () => Promise<ApiFields> {
  const { headers, signing, fetchSecret, onStale, now = Date.now } = options;
  const hasSecret = signing.length > 0 || [...headers.values()].some((value) => typeof value !== "string");
  const overridden = new Set([...headers.keys()].map(foldHeaderName));
  const secretNames = new Set([...headers].filter(([, value]) => typeof value !== "string").map(([name]) => name));
  let current: Promise<ApiFields> | undefined;
  let isDueAt = 0;

  const refresh = async (before: Promise<ApiFields> | undefined): Promise<ApiFields> => {
    try {
      const [values, signingKeys] = await Promise.all([
        Promise.all([...headers].map((header) => resolve(header, fetchSecret))),
        Promise.all(signing.map(async ({ name }) => signingKey(await fetchSecret(name), name))),
      ]);
      isDueAt = hasSecret ? now() + freshMs : Number.POSITIVE_INFINITY;
      return { fields: values.flat(), overridden, secretNames, signingKeys };
    } catch (error) {
      if (before === undefined) {
        current = undefined; // so that the next invocation asks again
        throw error;
      }
      onStale(error);
      isDueAt = now() + retryMs;
      return await before;
    }
  };

  return () => {
    if (current === undefined || now() >= isDueAt) {
      isDueAt = Number.POSITIVE_INFINITY; // one look-up at a time
      current = refresh(current);
    }
    return current;
  };
}

async function resolve(
  [name, value]: readonly [string, string | { readonly name: string }],
  fetchSecret: (name: string) => Promise<string>,
): Promise<readonly [name: string, value: string]> {
  if (typeof value === "string") return [name, value];
  // A secret that was written from a file ends with a line feed, which no credential has.
  const text = (await fetchSecret(value.name)).trim();
  if (!fieldValue.test(text)) {
    throw new Error(`the value of secret '${value.name}' cannot be that of ${name}: visible ASCII, space and tab only`);
  }
  return [name, text];
}

const fieldValue = /^[\t -~]+$/;
