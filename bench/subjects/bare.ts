import type { Subject } from "../subject.ts";
import { Child } from "../support/child.ts";

/** What one would write in an hour: an MQTT client and an HTTP pool. A message that is on its way dies with it. */
export const bare: Subject = {
  name: "mqtt + undici pool",
  isDurable: false,
  prepare: async () => undefined,
  start: async ({ brokerUrl, apiUrl }) =>
    Child.fork(new URL("../peers/bare-subscriber.ts", import.meta.url), [brokerUrl, apiUrl]),
};
