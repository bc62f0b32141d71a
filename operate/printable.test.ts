import { expect, test } from "vitest";
import { printable, printableBody } from "./printable.ts";

test.for([
  ["v1/drivers/d42", "v1/drivers/d42"],
  ["Größe 配送 🚚", "Größe 配送 🚚"],
  ["\u001b[2Jgone", "\\u001b[2Jgone"], // clears a terminal
  ["a\r\nb", "a\\u000d\\u000ab"],
  ["user\u202egnp.exe", "user\\u202egnp.exe"], // turns the direction of writing
  ["\u{e0041}", "\\u{e0041}"],
  ["\ud800", "\ufffd"],
] as const)("%j is printed as %s", ([text, printed]) => {
  expect(printable(text)).toBe(printed);
});

test.for([
  ["", "(empty)"],
  ['{\n\t"lat": 1.0}\u001b', '{\n\t"lat": 1.0}\\u001b'],
  [Buffer.from([0xff, 0x00]), "base64: /wA="],
  [Buffer.from("a\0b"), "base64: YQBi"],
] as const)("a body %j is printed as %j", ([body, printed]) => {
  expect(printableBody(Buffer.from(body))).toBe(printed);
});
