import mqtt from "mqtt";
import { Pool } from "undici";

const [brokerUrl = "", apiUrl = ""] = process.argv.slice(2);
const pool = new Pool(apiUrl, { connections: 50 });
const client = await mqtt.connectAsync(brokerUrl, { protocolVersion: 5, clientId: "bare-subscriber" });

client.on("message", (topic, payload) => {
  const { header, body } = JSON.parse(payload.toString());
  pool
    .request({ path: `/${topic}`, method: "POST", headers: header, body: JSON.stringify(body) })
    .then((response) => response.body.dump())
    .catch((error) => console.error(error.message));
});
await client.subscribeAsync("v1/drivers/+/location", { qos: 1 });
