import { defineScheme } from "../scheme/define-scheme.ts";

export default defineScheme({
  name: "relay",
  stage: "test",
  api: { url: "https://api.example.com" },
  uplink: "relay",
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    fast: { topic: "v1/drivers/{deviceId}/fast", qos: 1, where: "body.speed > 100" },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  brokers: [{ url: "mqtt://127.0.0.1:1883" }],
});
