import { expect, test } from "vitest";
import { failureCodeOf, failureCodeOfStatus } from "./failure.ts";

test.for([
  ["ECONNREFUSED", "CONNECTION"],
  ["ENOTFOUND", "CONNECTION"],
  ["UND_ERR_SOCKET", "CONNECTION"],
  ["UND_ERR_CONNECT_TIMEOUT", "TIMEOUT"],
  ["UND_ERR_HEADERS_OVERFLOW", "RESPONSE_INVALID"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "RESPONSE_INVALID"],
  ["CERT_HAS_EXPIRED", "TLS_INVALID"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "TLS_INVALID"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "TLS_INVALID"],
  ["EPROTO", "TLS_INVALID"], // the other side speaks no TLS, or none of our versions
  ["UND_ERR_INVALID_ARG", "INTERNAL"],
] as const)("an error with code %s is %s", ([code, expected]) => {
  expect(failureCodeOf(Object.assign(new Error("no"), { code }))).toBe(expected);
});

test("a parser's error has no code of its own", () => {
  const error = new Error("Response does not match the HTTP/1.1 protocol");
  error.name = "HTTPParserError";
  expect(failureCodeOf(error)).toBe("RESPONSE_INVALID");
});

test.for([
  [200, undefined],
  [299, undefined],
  [301, "REDIRECT_REFUSED"],
  [304, "REDIRECT_REFUSED"],
  [404, "HTTP_404"],
  [503, "HTTP_503"],
] as const)("status %i is %s", ([status, expected]) => {
  expect(failureCodeOfStatus(status)).toBe(expected);
});
