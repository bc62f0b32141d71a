import { defineScheme, secret } from "../scheme/define-scheme.ts";

// The scheme of end-to-end.test.ts.
export default defineScheme({
  name: "crossing",
  stage: "test",
  api: {
    url: "https://api.example.com",
    timeoutMs: 10_000,
    headers: { "x-api-key": secret("crossing/api-key") },
    signing: [secret("crossing/signing")],
  },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
    trip: { topic: "v1/drivers/{deviceId}/trips/{trip}", qos: 1, path: "/trips/{trip}/of/{deviceId}", method: "PUT" },
  },
});
