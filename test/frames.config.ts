import { defineScheme } from "../scheme/define-scheme.ts";

// The scheme of frames.test.ts.
export default defineScheme({
  name: "frames",
  stage: "test",
  api: { url: "https://api.example.com", retryDelaysSeconds: [1] },
  uplink: "relay",
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1, keep: { days: 1 }, lease: { hours: 1 } },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
});
