import { describe, expect, test } from "vitest";
import { compilePolicies } from "../bridge/provision/policy.ts";
import { defineScheme } from "../scheme/define-scheme.ts";
import { ManualClock } from "./support/iot-core-limits/clock.ts";
import { policyOf } from "./support/iot-core-limits/policy.ts";
import { type LimitedIotCore, startLimitedIotCore } from "./support/limited-iot-core.ts";
import { startGenerated, type TestBroker } from "./support/mosquitto.ts";
import { connectAs } from "./support/mqtt-client.ts";

const scheme = defineScheme({
  name: "acme",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
});

/** What `provision` would give the bridge. */
const policies = compilePolicies(scheme, "acme-prod-edge", "arn:aws:iot:eu-central-1:123456789012");

/** What a minute away leaves behind of 10 messages a second. */
const queued = 600;

describe.for(["mqttv50", "mqttv311"] as const)("the generated bridge over %s", (protocol) => {
  test("gets through 100 of the messages that an outage has queued, and then stalls", async () => {
    const clock = new ManualClock();
    const policy = policyOf(policies.map(({ document }) => document));
    const passed = new Set<string>();
    const fences = new Set<string>();
    await using cloud = await startLimitedIotCore({
      ...{ clock, policy },
      onPublish: ({ topic, payload }, discard) => {
        if (topic.endsWith("/health")) fences.add(payload.toString());
        else if (discard === undefined) passed.add(payload.toString());
      },
    });
    await using edge = await startEdge(cloud);
    await cloud.until(({ connects }) => connects === 1);
    await cloud.goAway();
    const device = await connectAs(edge.url, "d42");
    const sent = Array.from({ length: queued }, (_, index) => device.publish("v1/drivers/d42/location", `${index}`));
    await Promise.all(sent);
    await device[Symbol.asyncDispose]();

    // The endpoint is back. The broker starts anew, as a bridge waits for its next attempt up to half a minute.
    await edge.stop();
    await cloud.comeBack();
    clock.advance(1_000);
    await edge.start();
    await cloud.until(({ acknowledged }) => acknowledged === 100);
    await using other = await connectAs(edge.url, "d43");
    /** QoS 0 waits for no acknowledgement: when it has come, so has what the bridge had to say before. */
    const fence = async (name: string) => {
      await other.publish("v1/drivers/d43/health", name, { qos: 0 });
      await cloud.until(() => fences.has(name));
    };
    await fence("after the acknowledgements");
    await fence("after what they let go");

    // From now on there is room for 100 a second, and none of the 500 others comes.
    for (let second = 1; second <= 40; second++) {
      clock.advance(1_000);
      await fence(`second ${second}`);
    }
    expect([...passed]).toEqual(Array.from({ length: 100 }, (_, index) => `${index}`));
    expect(cloud.counts).toMatchObject({ connects: 2, ended: { cut: 1 } });

    // Another connection brings the next hundred, and no more.
    await edge.stop();
    await edge.start();
    await cloud.until(({ acknowledged }) => acknowledged === 200);
    expect(passed.size).toBe(200);
  });

  function startEdge(cloud: LimitedIotCore): Promise<TestBroker> {
    return startGenerated(scheme, async ({ folder }) => ({
      bridge: { ...(await cloud.bridgeOptions(folder)), protocol },
    }));
  }
});
