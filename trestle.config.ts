import { defineScheme } from "./scheme/define-scheme.ts";

// The sample: a fleet of drivers that sends its positions, as `npm start` simulates it.
export default defineScheme({
  name: "sample",
  stage: "dev",
  api: { url: "https://api.example.com", timeoutMs: 10_000, maxConcurrency: 50 },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    activity: { topic: "v1/drivers/{deviceId}/activity", qos: 1 },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  feeds: { orders: { topic: "orders/{orderId}" } },
  brokers: [{ url: "mqtts://broker.example.com:8883" }],
});
