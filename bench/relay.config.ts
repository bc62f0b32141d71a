import { defineScheme } from "../scheme/define-scheme.ts";

// As bench.config.ts, with a relay.
export default defineScheme({
  name: "bench",
  stage: "dev",
  api: { url: "https://api.example.com", timeoutMs: 10_000, maxConcurrency: 50 },
  uplink: "relay",
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
});
