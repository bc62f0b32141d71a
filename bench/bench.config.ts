import { defineScheme } from "../scheme/define-scheme.ts";

// One route, and as many requests at a time as the peers have connections.
export default defineScheme({
  name: "bench",
  stage: "dev",
  api: { url: "https://api.example.com", timeoutMs: 10_000, maxConcurrency: 50 },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
});
