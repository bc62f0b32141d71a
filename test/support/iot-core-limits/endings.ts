/** Why the stand-in ends a connection, with the reason code that an MQTT 5 client is told (MQTT 5 §3.14.2.1). */
export const endings = {
  "malformed packet": 0x81,
  "protocol error": 0x82,
  "not authorized": 0x87,
  "keep-alive timeout": 0x8d,
  "duplicate client id": 0x8e,
  "topic too long": 0x90,
  "topic too deep": 0x90,
  "reserved topic": 0x90,
  "retained on a reserved topic": 0x90,
  "topic alias": 0x94,
  "payload too large": 0x95,
  "packet too large": 0x95,
  "properties too large": 0x97,
  "subscription identifier": 0xa1,
} as const;

export type Ending = keyof typeof endings;

/** Why a CONNECT is turned away, with the codes of CONNACK in MQTT 5 and 3.1.1; without one the connection just ends. */
export const refusals = {
  "too many connects": { v5: 0x97, v3: undefined },
  "bridge flag": { v5: undefined, v3: 0x01 },
  "client id": { v5: 0x85, v3: 0x02 },
  "will on a reserved topic": { v5: 0x90, v3: undefined },
  "not authorized": { v5: 0x87, v3: 0x05 },
} as const;

export type Refusal = keyof typeof refusals;

/** How else a connection ends: by the client's DISCONNECT, its line, the broker behind, or a fault. */
export type OtherEnding = "client" | "connection lost" | "broker" | "cut";

/** Why a publish of a client is discarded, the connection staying. */
export type Discard = "rate" | "unacknowledged" | "QoS 2";
