// Devices that answer requests, many in one process over a few connections: the body comes back as it was.
import type { Socket } from "node:net";
import mqtt from "mqtt";

export interface DevicesOptions {
  readonly brokerUrl: string;
  readonly protocolVersion: 4 | 5;
  /** Begins their ids. */
  readonly name: string;
  readonly firstDevice: number;
  readonly devices: number;
}

const options: DevicesOptions = JSON.parse(process.argv[2] ?? "{}");
const { brokerUrl, protocolVersion, name, firstDevice, devices } = options;
const devicesPerConnection = 125;

for (let first = firstDevice; first < firstDevice + devices; first += devicesPerConnection) {
  const count = Math.min(devicesPerConnection, firstDevice + devices - first);
  const client = await mqtt.connectAsync(brokerUrl, { protocolVersion });
  (client.stream as unknown as Socket).setNoDelay(true);
  client.on("message", (topic, payload, { properties }) => {
    const replyTopic = topic.replace("Push/SDKControls/", "Push/Replies/");
    if (protocolVersion === 5) {
      const { correlationData, responseTopic = replyTopic } = properties ?? {};
      const id = correlationData === undefined ? {} : { properties: { correlationData } };
      client.publish(responseTopic, payload, { qos: 1, ...id });
    } else {
      const { header, body } = JSON.parse(payload.toString());
      const reply = { header: { commandId: header.commandId, status: "succeeded" }, body };
      client.publish(replyTopic, JSON.stringify(reply), { qos: 1 });
    }
  });
  await client.subscribeAsync(
    Array.from({ length: count }, (_, index) => `Push/SDKControls/${name}${first + index}`),
    { qos: 1 },
  );
}
process.send?.({ kind: "ready" });
