import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import type { ReasonCode } from "../message-error.ts";
import { checkProperties, type DeviceMessage, fromProperties } from "./properties.ts";

const payload = Buffer.from([0x00, 0xff]);
const userProperties = [["X-A", "1"]] as const;

test.for([
  [{ payload, userProperties }, [["X-A", "1"]], "binary"],
  [
    { payload, userProperties, contentType: "image/png" },
    [
      ["X-A", "1"],
      ["content-type", "image/png"],
    ],
    "binary",
  ],
  [{ payload, userProperties, contentType: "" }, [["X-A", "1"]], "binary"], // some clients send it empty
  // The header is the device's word in both forms, the property its fallback.
  [{ payload, userProperties: [["Content-Type", "a/b"]], contentType: "c/d" }, [["Content-Type", "a/b"]], "binary"],
  [{ payload, userProperties, payloadFormatIndicator: "UTF8_DATA" }, [["X-A", "1"]], "text"],
  [{ payload, userProperties, payloadFormatIndicator: "UNSPECIFIED_BYTES" }, [["X-A", "1"]], "binary"],
] as [DeviceMessage, [string, string][], string][])("%j is header and body", ([message, header, bodyKind]) => {
  expect(fromProperties(message)).toEqual({ header, body: payload, bodyKind });
  expect(fromProperties(message).body).toBe(payload);
});

describe("refuses", () => {
  const many = (count: number): [string, string][] => Array.from({ length: count }, (_, index) => [`x${index}`, ""]);
  test.for([
    [{ userProperties: many(65) }, "PROPERTIES_TOO_LARGE", "65 user properties, limit 64"],
    [
      { userProperties: [["é".repeat(2048), "v".repeat(4097)]] },
      "PROPERTIES_TOO_LARGE",
      "8193 bytes of user properties",
    ],
    [
      { correlationData: Buffer.alloc(8193).toString("base64") },
      "PROPERTIES_TOO_LARGE",
      "8193 bytes of correlation data",
    ],
    [{ contentType: "a/b\r\nx: y" }, "HEADER_VALUE_INVALID", "U+000D at 3"],
    [{ payloadFormatIndicator: "UTF8_DATA" }, "PAYLOAD_NOT_UTF8", "0x00ff"],
  ] as [Partial<DeviceMessage>, ReasonCode, string][])("%j with %s", ([properties, code, message]) => {
    expect(() => checkProperties({ payload, ...properties })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

test("takes as much as the limits say", () => {
  const correlationData = Buffer.alloc(8192).toString("base64");
  const full: [string, string][] = [["é".repeat(2048), "v".repeat(4096)]];
  checkProperties({ payload, userProperties: full, correlationData, contentType: "a/b" });
  checkProperties({ payload, payloadFormatIndicator: "UNSPECIFIED_BYTES" });
});
