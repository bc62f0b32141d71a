import { expect, test } from "vitest";
import { evaluateToJson } from "../testing.ts";

// 2024-02-29T13:05:09.042Z, a Thursday
const T = 1_709_211_909_042;

test.for([
  ["yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 13:05:09.042"],
  ["yy/M/d H:m:s S SS SSSSSS", "24/2/29 13:5:9 0 04 042000"],
  ["EEE, EEEE MMM MMMM", "Thu, Thursday Feb February"],
  ["h:mm a, hh K k kk", "1:05 PM, 01 1 13 13"],
  ["D DDD w ww x e", "60 060 9 09 2024 4"],
  ["C Y G", "20 2024 AD"],
  ["Z ZZ ZZZ z zzzz", "+0000 +00:00 UTC UTC Coordinated Universal Time"],
  ["''yyyy'' 'o''clock' 'T'", "'2024' o'clock T"],
  ["yyyyyyy", "0002024"],
  ["[{}]#-", "[{}]#-"],
  ["", ""],
] as const)('parse_time("%s") is %s', ([pattern, text]) => {
  expect(evaluateToJson("SELECT VALUE parse_time(p, t)", { p: pattern, t: T })).toBe(JSON.stringify(text));
});

test.for([
  ["Europe/Berlin", "2024-02-29 14:05:09 +01:00 CET Europe/Berlin"],
  ["America/New_York", "2024-02-29 08:05:09 -05:00 EST America/New_York"],
  ["Asia/Kolkata", "2024-02-29 18:35:09 +05:30 IST Asia/Kolkata"],
  ["Australia/Sydney", "2024-03-01 00:05:09 +11:00 AEDT Australia/Sydney"],
  ["+03:30", "2024-02-29 16:35:09 +03:30 +03:30 +03:30"],
  ["Z", "2024-02-29 13:05:09 +00:00 UTC UTC"],
  ["GMT-2", "2024-02-29 11:05:09 -02:00 -02:00 -02:00"],
] as const)("parse_time in %s is %s", ([zone, text]) => {
  const sql = "SELECT VALUE parse_time('yyyy-MM-dd HH:mm:ss ZZ z ZZZ', t, z)";
  expect(evaluateToJson(sql, { t: T, z: zone })).toBe(JSON.stringify(text));
});

test.for([
  ["parse_time('HH:mm', '0')", '"00:00"'], // a text that is a number
  ["parse_time('S', 999.9)", '"9"'], // rounded down
  ["parse_time('yyyy-MM-dd', -1)", '"1969-12-31"'],
  ["parse_time('yyyy-MM-dd ww x', 1735516800000)", '"2024-12-30 01 2025"'], // the week of the next year
  ["parse_time('yyyy y YYYY G', -62198755200000)", '"-0001 -1 0002 BC"'],
  ["parse_time('yyyy-MM-dd', 8640000000000000)", '"275760-09-13"'],
  ["parse_time('yyyy-MM-dd', 8640000000000000, 'Asia/Tokyo')", "undefined"],
  ["parse_time('yyyy-MM-dd', 9000000000000000)", "undefined"],
  ["parse_time('yyyy-MM-dd', 1e300)", "undefined"],
  ["parse_time('yyyy-MM-dd', 12345678901234567890)", "undefined"],
  ["parse_time('yyyy-MM-dd HH:mm', -59011459200000, 'Europe/Berlin')", '"0100-01-01 00:53"'], // local mean time
  ["parse_time('G yyyy-MM-dd HH:mm', -62198755200000, 'Europe/Berlin')", '"BC -0001-01-01 00:53"'],
  ["parse_time('yyyy', true)", "undefined"],
  ["parse_time('yyyy', missing)", "undefined"],
  ["parse_time('yyyy', 0, null)", "undefined"],
  ["parse_time('yyyy', 0, 'Mars/Olympus')", "undefined"],
  ["parse_time('b', 0)", "undefined"], // no letter of Joda-Time
  [`parse_time("it's", 0)`, "undefined"], // a quote that is not closed
] as const)("%s is %s", ([expression, result]) => {
  expect(evaluateToJson(`SELECT VALUE ${expression}`)).toBe(result);
});

test.for([
  ["18 December 2015", "dd MMMM yyyy", "2015-12-18T00:00:00Z"],
  ["20151218093045", "yyyyMMddHHmmss", "2015-12-18T09:30:45Z"], // neighbours share the digits
  ["20151218093045123", "yyyyMMddHHmmssSSS", "2015-12-18T09:30:45.123Z"],
  ["2015-12-18T09:30:45.123456789Z", "yyyy-MM-dd'T'HH:mm:ss.nX", "2015-12-18T09:30:45.123Z"],
  ["2015-12-18T09:30:45+0200", "yyyy-MM-dd'T'HH:mm:ssX", "2015-12-18T07:30:45Z"],
  ["2015-12-18T09:30:45+02", "yyyy-MM-dd'T'HH:mm:ssX", "2015-12-18T07:30:45Z"],
  ["2015-12-18T09:30:45-03:30", "yyyy-MM-dd'T'HH:mm:ssXXX", "2015-12-18T13:00:45Z"],
  ["2015-12-18T09:30:45Z", "yyyy-MM-dd'T'HH:mm:ssXXX", "2015-12-18T09:30:45Z"],
  ["2015-12-18 09:30 +0100", "yyyy-MM-dd HH:mm Z", "2015-12-18T08:30:00Z"],
  ["2015-12-18 09:30 GMT+01:00", "yyyy-MM-dd HH:mm ZZZZ", "2015-12-18T08:30:00Z"],
  ["2015-12-18 09:30 GMT+1", "yyyy-MM-dd HH:mm O", "2015-12-18T08:30:00Z"],
  ["2015-12-18 09:30 PST", "yyyy-MM-dd HH:mm z", "2015-12-18T17:30:00Z"],
  ["2015-12-18 09:30 Europe/Berlin", "yyyy-MM-dd HH:mm VV", "2015-12-18T08:30:00Z"],
  ["Fri, 18 Dec 2015 9:05 PM", "EEE, d MMM yyyy h:mm a", "2015-12-18T21:05:00Z"],
  ["12/18/15 12:00 AM", "MM/dd/yy hh:mm a", "2015-12-18T00:00:00Z"],
  ["2015-352", "yyyy-DDD", "2015-12-18T00:00:00Z"],
  ["2015-12-18", "yyyy-MM-dd[ HH:mm[:ss]]", "2015-12-18T00:00:00Z"],
  ["2015-12-18 09:30", "yyyy-MM-dd[ HH:mm[:ss]]", "2015-12-18T09:30:00Z"],
  ["2015-12-18 09:30:45", "yyyy-MM-dd[ HH:mm[:ss]]", "2015-12-18T09:30:45Z"],
  ["2015-12-18 24:00", "yyyy-MM-dd HH:mm", "2015-12-19T00:00:00Z"], // the end of the day
  ["2015-02-31", "yyyy-MM-dd", "2015-02-28T00:00:00Z"], // the last day of the month, as Java's smart resolver
  ["0044-03-15 BC", "yyyy-MM-dd G", "-000043-03-15T00:00:00Z"],
  ["+12015-01-01", "yyyy-MM-dd", "+012015-01-01T00:00:00Z"],
  ["2024-03-31 02:30 Europe/Berlin", "yyyy-MM-dd HH:mm VV", "2024-03-31T01:30:00Z"], // in the gap: moved on
  ["2024-10-27 02:30 Europe/Berlin", "yyyy-MM-dd HH:mm VV", "2024-10-27T00:30:00Z"], // twice: the first
  ["2024-07-01 12:00 America/New_York", "yyyy-MM-dd HH:mm VV", "2024-07-01T16:00:00Z"],
] as const)('time_to_epoch("%s", "%s") is %s', ([text, pattern, iso]) => {
  const result = evaluateToJson("SELECT VALUE time_to_epoch(t, p)", { t: text, p: pattern });
  expect(result).toBe(String(Date.parse(iso)));
});

test.for([
  ["2015-13-01", "yyyy-MM-dd"],
  ["2015-1-1", "yyyy-MM-dd"], // two digits are wanted
  ["12015-01-01", "yyyy-MM-dd"], // five digits need a plus
  ["2015-01-01x", "yyyy-MM-dd"],
  ["2015-01", "yyyy-MM"], // no day
  ["09:30", "HH:mm"], // no date
  ["2015-01-01 09:30", "yyyy-MM-dd hh:mm"], // AM or PM?
  ["2015-01-01 25:00", "yyyy-MM-dd HH:mm"],
  ["2015-01-01 24:01", "yyyy-MM-dd HH:mm"],
  ["Mon 2015-12-18", "EEE yyyy-MM-dd"], // it was a Friday
  ["18 december 2015", "dd MMMM yyyy"], // names are case-sensitive
  ["2015-366", "yyyy-DDD"],
  ["2015-01-01 Mars/Olympus", "yyyy-MM-dd VV"],
  ["2015-01-01 UTC", "yyyy-MM-dd V"], // VV
  ["2015-W01", "YYYY-'W'ww"], // weeks are not covered
  ["2015-01-01", "yyyy-MM-dd]"],
  ["2015-01-01", "yyyy-MM-ddb"],
  ["2015-01-01 09:30:61", "yyyy-MM-dd HH:mm:ss"],
  ["", "yyyy"],
  ["99999999999999999999-01-01", "yyyy-MM-dd"],
  ["2015-01-01", "[".repeat(300)],
] as const)('time_to_epoch("%s", "%s") is Undefined', ([text, pattern]) => {
  expect(evaluateToJson("SELECT VALUE time_to_epoch(t, p)", { t: text, p: pattern })).toBe("undefined");
});
