import { defineScheme } from "../scheme/define-scheme.ts";

// Two routes, so that one can fail, and a time limit that a slow device reaches soon.
export default defineScheme({
  name: "bench-isolation",
  stage: "dev",
  api: { url: "https://api.example.com", timeoutMs: 2_000, maxConcurrency: 100 },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    activity: { topic: "v1/drivers/{deviceId}/activity", qos: 1 },
  },
});
