import { Buffer } from "node:buffer";

/** A message, as every evaluator gets it. */
export interface BenchMessage {
  readonly topic: string;
  readonly payload: Buffer;
}

/** A typical rule in the languages of the peers. Each takes JSON's bytes; parsing them is part of the work. */
export interface BenchRule {
  readonly name: string;
  readonly sql: string;
  readonly message: BenchMessage;
  /** What somebody would write without the SQL. */
  readonly byHand: (message: BenchMessage) => unknown;
  /** Evaluated on the payload, with `$topic` and `$payload` (its bytes as characters). */
  readonly jsonata: string;
  /** A query over a table, and what is made of a message and of the rows; undefined where it cannot say the rule. */
  readonly alasql?: AlasqlRule;
  /** A part of the rule, whose rest is done for it: no measure of the rule, but of how close a compiled query comes. */
  readonly alasqlPart?: AlasqlRule;
}

export interface AlasqlRule {
  readonly query: string;
  readonly table: (payload: Payload) => readonly unknown[];
  readonly result: (rows: readonly unknown[]) => unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: what JSON.parse gives
type Payload = any;

const topic = "fleet/d42/up";

/** 330 bytes, as trackers send them. */
const position = {
  topic,
  payload: Buffer.from(
    JSON.stringify({
      ...{ deviceId: "d42", sequence: 48_213, time: "2026-03-01T12:00:00.250Z", battery: 87, temperature: 21.5 },
      ...{ location: { latitude: 52.520008, longitude: 13.404954, accuracy: 4.5, speed: 83.2, heading: 271 } },
      ...{ vendor: "Acme", model: "TRACKER-X2", serial: "SN20261234", label: "north gate 7", status: "driving" },
      ...{ network: { type: "LTE", signal: -71, operator: "26201" } },
    }),
  ),
};

/** Twenty measurements, as sensors batch them; 1 KB. */
const readings = {
  topic,
  payload: Buffer.from(
    JSON.stringify({
      deviceId: "d42",
      readings: Array.from({ length: 20 }, (_, n) => ({
        name: ["temperature", "humidity", "pressure", "light"][n % 4],
        value: 20 + n / 4,
        time: 1_772_366_400 + n,
      })),
    }),
  ),
};

const parse = ({ payload }: BenchMessage): Payload => JSON.parse(payload.toString("utf8"));
const whole = (payload: Payload): readonly unknown[] => [payload];
const first = ([row]: readonly unknown[]): unknown => row;

export const benchRules: readonly BenchRule[] = [
  {
    name: "three fields",
    sql: "SELECT deviceId, temperature, location FROM 'fleet/+/up'",
    message: position,
    byHand: (message) => {
      const { deviceId, temperature, location } = parse(message);
      return { deviceId, temperature, location };
    },
    jsonata: '{"deviceId": deviceId, "temperature": temperature, "location": location}',
    alasql: { query: "SELECT deviceId, temperature, location FROM ?", table: whole, result: first },
  },
  {
    name: "WHERE on a nested number",
    sql: "SELECT deviceId, location.speed AS speed FROM 'fleet/+/up' WHERE location.speed > 80",
    message: position,
    byHand: (message) => {
      const { deviceId, location } = parse(message);
      return location?.speed > 80 ? { deviceId, speed: location.speed } : undefined;
    },
    jsonata: '$[location.speed > 80].{"deviceId": deviceId, "speed": location.speed}',
    alasql: {
      query: "SELECT deviceId, location->speed AS speed FROM ? WHERE location->speed > 80",
      table: whole,
      result: first,
    },
  },
  {
    name: "encode(*, 'base64'), topic(2)",
    sql: "SELECT encode(*, 'base64') AS data, topic(2) AS deviceId FROM 'fleet/+/up'",
    message: position,
    byHand: (message) => ({ data: message.payload.toString("base64"), deviceId: message.topic.split("/")[1] }),
    jsonata: '{"data": $base64encode($payload), "deviceId": $split($topic, "/")[1]}',
  },
  {
    name: "nested query, 20 elements",
    sql: "SELECT (SELECT value, time FROM readings WHERE name = 'temperature') AS temperatures FROM 'fleet/+/up'",
    message: readings,
    byHand: (message) => ({
      temperatures: parse(message)
        .readings.filter((reading: Payload) => reading.name === "temperature")
        .map(({ value, time }: Payload) => ({ value, time })),
    }),
    jsonata: '{"temperatures": [readings[name = "temperature"].{"value": value, "time": time}]}',
    alasql: {
      query: "SEARCH / readings / WHERE(name = 'temperature') RETURN(`value`, `time`) FROM ?",
      table: whole,
      result: (rows) => ({ temperatures: rows }),
    },
    alasqlPart: {
      query: "SELECT `value`, `time` FROM ? WHERE name = 'temperature'",
      table: ({ readings: rows }) => rows,
      result: (rows) => ({ temperatures: rows }),
    },
  },
  {
    name: "string functions",
    sql: `SELECT upper(vendor) + '-' + lower(model) AS kind, substring(serial, 2, 6) AS year, replace(label, ' ', '_') AS key,
      startswith(serial, 'SN') AS isKnown, concat(deviceId, '/', status) AS state FROM 'fleet/+/up'`,
    message: position,
    byHand: (message) => {
      const { vendor, model, serial, label, deviceId, status } = parse(message);
      return {
        kind: `${vendor.toUpperCase()}-${model.toLowerCase()}`,
        year: serial.slice(2, 6),
        key: label.replaceAll(" ", "_"),
        isKnown: serial.startsWith("SN"),
        state: `${deviceId}/${status}`,
      };
    },
    jsonata: `{"kind": $uppercase(vendor) & "-" & $lowercase(model), "year": $substring(serial, 2, 4),
      "key": $replace(label, " ", "_"), "isKnown": $substring(serial, 0, 2) = "SN", "state": deviceId & "/" & status}`,
    alasql: {
      query: `SELECT UPPER(vendor) + '-' + LOWER(model) AS kind, SUBSTRING(serial, 3, 4) AS year,
        REPLACE(label, ' ', '_') AS \`key\`, serial LIKE 'SN%' AS isKnown, deviceId + '/' + status AS state FROM ?`,
      table: whole,
      result: first,
    },
  },
];
