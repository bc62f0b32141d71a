import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import type { ReasonCode } from "../message-error.ts";
import { cutEnvelope } from "./cut.ts";

const cut = (text: string) => cutEnvelope(Buffer.from(text));

test.for([
  ['{"header":{},"body":1.0}', "1.0", "json"],
  ['{"header":{},"body":null}', "null", "json"],
  ['{"header":{},"body":12345678901234567890}', "12345678901234567890", "json"],
  ['{"header":{},"body":1e400}', "1e400", "json"],
  ['{"header":{},"body": { "b" : 1, "a" :\t[ ] , "b":2 } }', '{ "b" : 1, "a" :\t[ ] , "b":2 }', "json"], // as it stands
  [' \r\n{ "body" : true , "header" : { } }\n', "true", "json"], // any order and spacing
  ['{"\\u0068eader":{},"\\u0062ody":1}', "1", "json"], // keys may be escaped
  ['{"header":{},"body":{"header":1,"body":2}}', '{"header":1,"body":2}', "json"], // an envelope inside is a body
  ['{"header":{},"body":"héllo 😀"}', "héllo 😀", "text"],
  ['{"header":{},"body":""}', "", "text"],
  ['{"header":{},"body":"a\\u0000b\\n\\"\\\\\\ud83d\\ude00"}', 'a\0b\n"\\😀', "text"],
  ['{"header":{},"body":"\\\\u0041"}', "\\u0041", "text"], // an escaped backslash is no escape of what follows
  ['{"header":{},"body":"\\ud800x"}', '"\\ud800x"', "json"], // no UTF-8 for a lone surrogate: the literal
  ['{"header":{},"body":"\\ude00\\ud83d"}', '"\\ude00\\ud83d"', "json"], // the halves of a pair, the wrong way round
  ['{"header":{},"body":"AP+/","bodyEncoding":"base64"}', "\u0000\u00ff\u00bf", "binary"],
  ['{"bodyEncoding":"base64","header":{},"body":"AP\\/\\u002f"}', "\u0000\u00ff\u00ff", "binary"], // as PHP writes it
  ['{"header":{},"body":"","bodyEncoding":"base64"}', "", "binary"],
] as const)("%s has the body %j", ([text, body, bodyKind]) => {
  const envelope = cut(text);
  expect(Buffer.from(envelope.body).toString(bodyKind === "binary" ? "latin1" : "utf8")).toBe(body);
  expect(envelope.bodyKind).toBe(bodyKind);
});

test("the body is a slice of the payload, not a copy, wherever the payload stands in its memory", () => {
  const text = '{"header":{},"body":[1, 2]}';
  const memory = new Uint8Array(100);
  const payload = memory.subarray(10, 10 + text.length);
  payload.set(Buffer.from(text));
  const { body } = cutEnvelope(payload);
  expect(body.buffer).toBe(memory.buffer);
  expect(body.byteOffset).toBe(10 + text.indexOf("["));
  expect(Buffer.from(body).toString()).toBe("[1, 2]");
});

test("header fields come as the device wrote them", () => {
  const { header } = cut('{"header":{"X-A":"1","x\\u002da":"\\u00e9\\n","a":" \\"€\\" "},"body":0}');
  expect(header).toEqual([
    ["X-A", "1"],
    ["x-a", "é\n"], // repeated and impossible fields are the filter's to refuse
    ["a", ' "€" '],
  ]);
});

describe("refuses", () => {
  test.for([
    ["", "ENVELOPE_NOT_JSON", "found the end"],
    ['\ufeff{"header":{},"body":1}', "ENVELOPE_NOT_JSON", "byte 0, found 0xef"], // byte-order mark
    ['{"header":{},"body":1} x', "ENVELOPE_NOT_JSON", "the end expected at byte 23"],
    ['{"header":{"a":[1,]},"body":1}', "ENVELOPE_NOT_JSON", "byte 18"],
    ['{"x":1,"x":2', "ENVELOPE_NOT_JSON", "byte 12"], // what is no JSON has no shape
    ["[1]", "ENVELOPE_SHAPE", "no object"],
    ["{}", "ENVELOPE_SHAPE", "'header' is missing"],
    ['{"body":1}', "ENVELOPE_SHAPE", "'header' is missing"],
    ['{"header":{}}', "ENVELOPE_SHAPE", "'body' is missing"],
    ['{"header":{},"body":1,"Body":2}', "ENVELOPE_SHAPE", '"Body" is none of'],
    ['{"header":{},"body":1,"__proto__":{}}', "ENVELOPE_SHAPE", '"__proto__" is none of'],
    ['{"header":null,"body":1}', "ENVELOPE_SHAPE", "'header' is no object"],
    ['{"header":"x","body":1}', "ENVELOPE_SHAPE", "'header' is no object"],
    ['{"header":{"x-a":1},"body":1}', "ENVELOPE_SHAPE", 'header "x-a" is no string'],
    ['{"header":{"x-a":null},"body":1}', "ENVELOPE_SHAPE", 'header "x-a" is no string'],
    ['{"header":{"a b":[]},"body":1}', "HEADER_NAME_INVALID", '"a b"'], // the name counts before its value
    ['{"header":{},"body":1,"body":1}', "ENVELOPE_DUPLICATE_KEY", "'body'"],
    ['{"header":{},"body":1,"\\u0062ody":1}', "ENVELOPE_DUPLICATE_KEY", "'body'"],
    [
      '{"header":{},"body":"","bodyEncoding":"base64","bodyEncoding":"base64"}',
      "ENVELOPE_DUPLICATE_KEY",
      "'bodyEncoding'",
    ],
    ['{"header":{},"body":"","bodyEncoding":"gzip"}', "ENVELOPE_SHAPE", "'bodyEncoding' is not \"base64\""],
    ['{"header":{},"body":"","bodyEncoding":null}', "ENVELOPE_SHAPE", "'bodyEncoding' is not \"base64\""],
    ['{"header":{},"body":{},"bodyEncoding":"base64"}', "ENVELOPE_SHAPE", "'body' is no string"],
    ['{"header":{},"body":"AA=","bodyEncoding":"base64"}', "ENVELOPE_SHAPE", "no base64"], // padding is part of it
    ['{"header":{},"body":"AAA","bodyEncoding":"base64"}', "ENVELOPE_SHAPE", "no base64"],
    ['{"header":{},"body":"AB==","bodyEncoding":"base64"}', "ENVELOPE_SHAPE", "no base64"], // bits that no byte has
    ['{"header":{},"body":"-_8=","bodyEncoding":"base64"}', "ENVELOPE_SHAPE", "no base64"], // the URL alphabet
    ['{"header":{},"body":"AA AA\\n","bodyEncoding":"base64"}', "ENVELOPE_SHAPE", "no base64"],
  ] as const satisfies readonly (readonly [string, ReasonCode, string])[])("%s with %s", ([text, code, message]) => {
    expect(() => cut(text)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  test("bytes that are not UTF-8, wherever they stand", () => {
    const payload = Buffer.from('{"header":{},"body":"\xff"}', "latin1");
    expect(() => cutEnvelope(payload)).toThrow(
      expect.objectContaining({ code: "PAYLOAD_NOT_UTF8", message: expect.stringContaining("24 bytes") }),
    );
  });
});
