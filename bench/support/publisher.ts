// The fleet under measurement: publishes numbered messages at QoS 1 with a bounded number unacknowledged, as fast as
// they are acknowledged or at a fixed rate. A process of its own, done when the last PUBACK has come.
import mqtt from "mqtt";

const [url = "", countText = "0", rateText = "0", windowText = "100"] = process.argv.slice(2);
const count = Number(countText);
/** Messages per second; 0 is as fast as it goes. */
const rate = Number(rateText);
const window = Number(windowText);

const now = () => performance.timeOrigin + performance.now();
const filler = "x".repeat(110);

/** About 250 bytes in all, the body 150 of them. */
function payloadOf(number: number): string {
  const at = now().toFixed(2);
  const body = `{"number":${number},"at":${at},"lat":52.520008,"lon":13.404954,"note":"${filler}"}`;
  return `{"header":{"content-type":"application/json","authorization":"Bearer abc"},"body":${body}}`;
}

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
      client.publish("v1/drivers/bench/location", payloadOf(sent), { qos: 1 }, () => {
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
