import { expect, test } from "vitest";
import { badInputs } from "./fixtures/bad-inputs.ts";
import { MessageError, quote, type ReasonCode } from "./message-error.ts";

test("the reasons are those of the bad inputs", () => {
  // A record, so that the compiler insists on every reason.
  const reasons: Record<ReasonCode, true> = {
    PAYLOAD_NOT_UTF8: true,
    ENVELOPE_NOT_JSON: true,
    ENVELOPE_TOO_DEEP: true,
    ENVELOPE_SHAPE: true,
    ENVELOPE_DUPLICATE_KEY: true,
    HEADER_NAME_INVALID: true,
    HEADER_VALUE_INVALID: true,
    HEADERS_TOO_LARGE: true,
    MESSAGE_ID_INVALID: true,
    MESSAGE_ID_REUSED: true, // named in the check of pay-28
    PROPERTIES_TOO_LARGE: true,
    DEVICE_ID_INVALID: true,
    TOPIC_TOO_DEEP: true,
    TOPIC_TOO_LONG: true,
    TOPIC_RESERVED: true, // these two are tested with bridge/relay
    PAYLOAD_TOO_LARGE: true,
    TOPIC_NOT_ROUTED: true,
    COMMAND_INVALID: true, // these three are tested with scheme/command and lambdas/reply
    REPLY_INVALID: true,
    COMMAND_UNKNOWN: true,
  };
  const others = [
    "MESSAGE_ID_REUSED",
    "TOPIC_RESERVED",
    "PAYLOAD_TOO_LARGE",
    "COMMAND_INVALID",
    "REPLY_INVALID",
    "COMMAND_UNKNOWN",
  ];
  const codes = badInputs("mqtt.payload", "envelope.header", "mqtt5.property", "mqtt.topic")
    .filter(({ expect: { outcome } }) => outcome === "dead-letter" || outcome === "ignore")
    .flatMap(({ expect: { code, codes } }) => codes ?? (code === undefined ? [] : [code]));
  expect(Object.keys(reasons).sort()).toEqual([...new Set([...codes, ...others])].sort());
});

test("an error has its reason and its cause", () => {
  const cause = new Error("why");
  const error = new MessageError("ENVELOPE_SHAPE", "what", { cause });
  expect(error).toMatchObject({ name: "MessageError", code: "ENVELOPE_SHAPE", message: "what", cause });
});

test.for([
  ["x-a", '"x-a"'],
  ["a\r\nb", String.raw`"a\r\nb"`], // no line of a log is forged
  ["é\u202e\ud800", String.raw`"\u00e9\u202e\ud800"`],
  ["k".repeat(65), `"${"k".repeat(64)}"… (65 characters)`],
] as const)("%j is quoted as %s", ([text, quoted]) => {
  expect(quote(text)).toBe(quoted);
});
