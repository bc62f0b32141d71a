import { expect, test } from "vitest";
import { evaluateToJson } from "../testing.ts";

// What the conformance cases leave open; they hold the functions' documented tables.
test.for([
  ["decode('!!!!', 'base64')", "null"], // not base64
  ["decode('/w==', 'base64')", "null"], // base64, but not text
  ["decode('aGk', 'base64')", '"hi"'], // padding may be absent
  ["decode('a', 'base64')", "null"],
  ["decode('', 'base64')", '""'],
  ["decode(missing, 'base64')", "undefined"],
  ["decode('eyJpZCI6MTIzNDU2Nzg5MDEyMzQ1Njc4OTB9', 'base64').id", "12345678901234567890"],
  ["encode(missing, 'base64')", "undefined"],
  ["encode('€', 'base64')", '"4oKs"'],
  ["topic(1)", '"a"'],
  ["topic(1.9)", '"a"'],
  ["topic(0)", "undefined"],
  ["topic(3)", "undefined"],
  ["get('abc', '1')", '"b"'],
  ["get('abc', true)", "undefined"],
  ["get({'a': 1}, 'toString')", "undefined"],
  ["get([1], 0.9)", "1"],
  ["concat([1], missing)", "undefined"],
  ["concat(1, 2)", '"12"'],
  ["chr(128)", "undefined"], // not ASCII
  ["lower(null)", "undefined"],
  ["replace('aaa', '', '-')", '"-a-a-a-"'],
  ["rtrim('  ')", '""'],
  ["ltrim('  ')", '""'],
  ["get_mqtt_property('toString')", "undefined"],
  ["clientid()", '"n/a"'],
  ["principal()", "undefined"],
  ["cast('1E40' AS String)", '"1E40"'],
  ["cast(1E20 AS String)", '"100000000000000000000"'], // an Int, in standard notation
  ["cast(1E-7 AS String)", '"1E-7"'],
  ["cast(-1.5 AS Int)", "-2"], // rounded down
] as const)("%s is %s", ([expression, result]) => {
  expect(evaluateToJson(`SELECT VALUE ${expression}`)).toBe(result);
});

test("a message that did not come by MQTT has no client and no trace", () => {
  const message = { protocol: "http", clientId: "c" } as const;
  expect(evaluateToJson("SELECT clientid() AS c, traceid() AS t", {}, message)).toBe('{"c":"n/a"}');
});
