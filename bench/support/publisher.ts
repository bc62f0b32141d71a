// The fleet under measurement: publishes numbered messages at QoS 1 with a bounded number unacknowledged, as fast as
// they are acknowledged or at a fixed rate. A process of its own, done when the last PUBACK has come or it is ended.
import mqtt from "mqtt";

export interface PublisherOptions {
  readonly url: string;
  readonly count: number;
  /** Messages per second; 0 is as fast as it goes. */
  readonly rate: number;
  /** Messages without a PUBACK at one time; 100 by default. */
  readonly window?: number;
  /** Number of the first message; 0 by default. */
  readonly firstNumber?: number;
  /** Last level of the topic: `location` by default. */
  readonly route?: string;
  /** Devices, in turn: their ids are `fleet` and a number, `bench` alone by default. */
  readonly fleet?: { readonly name: string; readonly devices: number };
}

const options: PublisherOptions = JSON.parse(process.argv[2] ?? "{}");
const { url, count, rate, window = 100, firstNumber = 0, route = "location", fleet } = options;

const now = () => performance.timeOrigin + performance.now();
const filler = "x".repeat(110);

/** About 250 bytes in all, the body 150 of them. */
function payloadOf(number: number): string {
  const at = now().toFixed(2);
  const body = `{"number":${number},"at":${at},"lat":52.520008,"lon":13.404954,"note":"${filler}"}`;
  return `{"header":{"content-type":"application/json","authorization":"Bearer abc"},"body":${body}}`;
}

const topics = Array.from({ length: fleet?.devices ?? 1 }, (_, index) => {
  return `v1/drivers/${fleet === undefined ? "bench" : `${fleet.name}${index}`}/${route}`;
});

const client = await mqtt.connectAsync(url, {
  protocolVersion: 4,
  username: "bench",
  clientId: `bench-${process.pid}`,
});
const beganAt = now();
let sent = 0;
let acknowledged = 0;
await new Promise<void>((resolve) => {
  const fill = () => {
    const due = rate === 0 ? count : Math.min(count, Math.floor(((now() - beganAt) * rate) / 1000));
    while (sent < due && sent - acknowledged < window) {
      client.publish(topics[sent % topics.length] ?? "", payloadOf(firstNumber + sent), { qos: 1 }, () => {
        acknowledged += 1;
        if (acknowledged === count) resolve();
        else if (rate === 0) fill();
      });
      sent += 1;
    }
  };
  fill();
  if (rate > 0) setInterval(fill, 2).unref();
});
process.send?.({ kind: "published", beganAt, endedAt: now() });
await client.endAsync();
process.exit();
