import { defineScheme } from "../../scheme/define-scheme.ts";

// The scheme of the tests that run processes of the push endpoint.
export default defineScheme({
  name: "push",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  brokers: [{ url: "mqtt://127.0.0.1:1883" }],
});
