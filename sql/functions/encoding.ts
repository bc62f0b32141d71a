import { Buffer, isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { readJson } from "../json.ts";
import { md2 } from "../md2.ts";
import { MAX_TEXT_LENGTH, toText, Undefined, type Value } from "../value.ts";
import { type FunctionTable, ofTexts, type SqlFunction } from "./function.ts";

const MAX_ENCODED_LENGTH = MAX_TEXT_LENGTH / 2;

/** It is not OpenSSL's, and takes 150 ns for a character. */
const MD2_STEPS_PER_CHARACTER = 5;

const BASE64 = { arity: [2, 2], since: "2016-03-23", literal: { position: 1, values: ["base64"] } } as const;

export const encodingFunctions: FunctionTable = {
  decode: { ...BASE64, apply: (_context, value = Undefined) => decode(value) },
  // encode(*, 'base64') reads the payload's bytes and is compiled by itself.
  encode: {
    ...BASE64,
    apply: (_context, value = Undefined) => {
      const text = toText(value);
      // What is encoded again and again ends here.
      if (text === Undefined || text.length > MAX_ENCODED_LENGTH) return Undefined;
      return Buffer.from(text, "utf8").toString("base64");
    },
  },
  md2: {
    arity: [1, 1],
    apply: ({ steps }, value = Undefined) => {
      const text = toText(value);
      return text === Undefined || !steps.spend(MD2_STEPS_PER_CHARACTER * text.length) ? Undefined : md2(text);
    },
  },
  md5: hash("md5"),
  sha1: hash("sha1"),
  sha224: hash("sha224"),
  sha256: hash("sha256"),
  sha384: hash("sha384"),
  sha512: hash("sha512"),
};

function hash(algorithm: string): SqlFunction {
  return ofTexts(1, (text) => createHash(algorithm).update(text, "utf8").digest("hex"));
}

/** The JSON value that the bytes spell, or else their text; null when they are not base64 or not text. */
function decode(value: Value): Value {
  const encoded = toText(value);
  if (encoded === Undefined) return Undefined;
  const bytes = isBase64(encoded) ? Buffer.from(encoded, "base64") : undefined;
  if (bytes === undefined || !isUtf8(bytes)) return null;
  const json = readJson(bytes);
  return json === Undefined ? bytes.toString("utf8") : json;
}

/** RFC 4648 §4; padding may be absent, as Java's decoder allows. */
function isBase64(text: string): boolean {
  const match = /^[A-Za-z0-9+/]*(={0,2})$/.exec(text);
  if (match === null) return false;
  const remainder = text.length % 4;
  return match[1] === "" ? remainder !== 1 : remainder === 0;
}
