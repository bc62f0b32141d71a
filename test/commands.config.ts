import { defineScheme } from "../scheme/define-scheme.ts";

// The scheme of commands.test.ts.
export default defineScheme({
  name: "downward",
  stage: "test",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  feeds: { orders: { topic: "orders/{orderId}" } },
  brokers: [{ url: "mqtts://broker.example.com:8883" }],
});
