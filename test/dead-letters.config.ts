import { defineScheme } from "../scheme/define-scheme.ts";

// The scheme of dead-letters.test.ts.
export default defineScheme({
  name: "letters",
  stage: "test",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1, keep: { days: 1 } },
    order: { topic: "v1/drivers/{deviceId}/order", qos: 1, lease: { hours: 1 } },
  },
});
