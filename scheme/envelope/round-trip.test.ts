import { Buffer, isUtf8 } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MessageError } from "../message-error.ts";
import { jsonText, space, stringText } from "./arbitrary-json.ts";
import { cutEnvelope } from "./cut.ts";
import { openMessage } from "./open-message.ts";

/** A name as a JSON string, each character plain or escaped. */
function spelled(name: string): fc.Arbitrary<string> {
  return fc.array(fc.boolean(), { minLength: name.length, maxLength: name.length }).map((escapes) => {
    const characters = [...name].map((character, index) => {
      return escapes[index] ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : character;
    });
    return `"${characters.join("")}"`;
  });
}

const headerText = fc
  .array(fc.tuple(space, spelled("x-a"), stringText), { maxLength: 3 })
  .map((fields) => `{${fields.map(([gap, name, value]) => `${gap}${name}${gap}:${gap}${value}${gap}`)}}`);

/** An envelope in any order and spacing around the body. */
function envelopeText(body: string): fc.Arbitrary<string> {
  return fc
    .tuple(space, spelled("header"), headerText, spelled("body"), fc.boolean())
    .map(([gap, headerKey, header, bodyKey, isHeaderFirst]) => {
      const members = [`${gap}${headerKey}${gap}:${gap}${header}${gap}`, `${gap}${bodyKey}${gap}:${gap}${body}${gap}`];
      return `${gap}{${isHeaderFirst ? members : members.reverse()}}${gap}`;
    });
}

const message = jsonText.chain((body) => fc.record({ body: fc.constant(body), text: envelopeText(body) }));

test("the bytes of any body come out as they went in", () => {
  fc.assert(
    fc.property(message, ({ body, text }) => {
      const envelope = cutEnvelope(Buffer.from(text));
      expect(envelope.header).toEqual(envelope.header.map(([, value]) => ["x-a", value]));
      const isText = body.startsWith('"') && (JSON.parse(body) as string).isWellFormed();
      expect(envelope.bodyKind).toBe(isText ? "text" : "json");
      const sent = isText ? (JSON.parse(body) as string) : body;
      expect(Buffer.from(envelope.body).equals(Buffer.from(sent))).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test("any bytes come out of base64 as they went in", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const body = Buffer.from(bytes).toString("base64");
      const envelope = cutEnvelope(Buffer.from(JSON.stringify({ header: {}, body, bodyEncoding: "base64" })));
      expect(Buffer.from(envelope.body).equals(bytes)).toBe(true);
    }),
  );
});

const edit = fc.record({
  at: fc.nat(),
  remove: fc.nat(3),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    fc.uint8Array({ maxLength: 3, max: 0x7f }),
    fc.constantFrom(...'{}[]",:\\0e').map((text) => Buffer.from(text)),
  ),
});

/** JSON.stringify recurses: a body that we carry can be too deep for it. */
const maxRereadBytes = 5_000;

test("whatever happens to the bytes, the message opens to what JSON.parse reads or is refused with a reason", () => {
  fc.assert(
    fc.property(message, fc.array(edit, { minLength: 1, maxLength: 4 }), ({ text }, edits) => {
      const payload = edits.reduce((bytes, { at, remove, insert }) => {
        const start = at % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
      }, Buffer.from(text));
      try {
        const { body, contentType } = openMessage({ payload }, { overridden: new Set() });
        if (payload.length > maxRereadBytes) return;
        const opened = Buffer.from(body).toString();
        const reread = JSON.stringify(contentType === "application/json" ? JSON.parse(opened) : opened);
        expect(reread).toBe(JSON.stringify(JSON.parse(payload.toString()).body));
      } catch (error) {
        if (!(error instanceof MessageError)) throw error;
        if (!isUtf8(payload)) expect(error.code).toBe("PAYLOAD_NOT_UTF8");
      }
    }),
    { numRuns: 3_000 },
  );
});
