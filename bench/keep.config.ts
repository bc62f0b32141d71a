import { defineScheme } from "../scheme/define-scheme.ts";

// As bench.config.ts, and every message is kept.
export default defineScheme({
  name: "bench-keep",
  stage: "dev",
  api: { url: "https://api.example.com", timeoutMs: 10_000, maxConcurrency: 50 },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1, keep: { days: 30 } } },
});
