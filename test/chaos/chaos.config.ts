import { defineScheme } from "../../scheme/define-scheme.ts";

// The scheme of `npm run chaos`: the sample's two queued routes, with waits that a run of minutes can see the end of.
export default defineScheme({
  name: "chaos",
  stage: "test",
  api: {
    url: "https://api.example.com",
    timeoutMs: 1_000,
    maxConcurrency: 50,
    // The first one decides how soon an API that was away is tried again: after two seconds.
    // 30 attempts within a minute: where every second one fails, one message in 2³⁰ becomes a dead letter.
    retryDelaysSeconds: [1, 1, ...Array<number>(27).fill(2)],
  },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    activity: { topic: "v1/drivers/{deviceId}/activity", qos: 1 },
  },
});
