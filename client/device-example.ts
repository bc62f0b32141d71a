// node client/device-example.ts mqtt://127.0.0.1:1883 FOLDER
import { connect } from "./connect.ts";
import { openFileStore } from "./device/file-store.ts";
import { Device } from "./device.ts";

const [url = "mqtt://127.0.0.1:1883", folder = ".trestle/d42"] = process.argv.slice(2);

await using device = await Device.connect(url, {
  deviceId: "d42",
  store: await openFileStore(folder),
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  onCommand: ({ body }) => `did ${JSON.stringify(body)}`,
  onProblem: (error) => console.error(error.message),
});
await device.publish("v1/drivers/{deviceId}/location", { body: { lat: 52.52, lon: 13.4 } });

// Somebody who asks it, without the push endpoint.
await using client = await connect(url);
const options = { replyTopic: "Push/Replies/d42", timeoutMs: 5_000 };
const answer = await client.request("Push/SDKControls/d42", '{"command":"locate"}', options);
console.log(answer.payload.toString());
