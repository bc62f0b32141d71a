import type { RelayCounts } from "./counts.ts";
import type { Watched } from "./status-server.ts";

const counters: Readonly<Record<keyof RelayCounts, readonly [name: string, help: string]>> = {
  received: ["messages_received", "Messages that the broker has given, those that came again among them"],
  redelivered: ["messages_redelivered", "Messages that the broker has given again"],
  filtered: ["messages_filtered", "Messages that their route's where did not select"],
  refused: ["messages_refused", "Messages that IoT Core would not take: dead letters, or gone at QoS 0"],
  unrouted: ["messages_unrouted", "Messages that no route has"],
  sent: ["messages_sent", "Messages that IoT Core has acknowledged, or that were sent at QoS 0"],
  dropped: ["messages_dropped", "Messages of QoS 0 that were lost for want of a connection"],
  publishes: ["publishes", "Publishes to IoT Core, those that were sent again among them"],
  publishedBytes: ["published_bytes", "Bytes of the publishes: topics, payloads and headers"],
  resent: ["publishes_resent", "Publishes that were sent again after a connection was lost"],
  connects: ["connects", "Connections that IoT Core has accepted"],
  stalls: ["stalls", "Connections that were cut because a PUBACK did not come"],
  rejected: ["publishes_rejected", "Publishes that IoT Core has refused by a reason code; they are sent again"],
};

/**
 * Counts and states as Prometheus reads them.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function metricsText({ counts, isBrokerConnected, uplink, held }: Watched): string {
  const { connections, waiting, unacknowledged } = uplink;
  const gauges: readonly (readonly [name: string, help: string, value: number])[] = [
    ["broker_connected", "Whether the local broker is connected", Number(isBrokerConnected)],
    ["connections", "Connections to IoT Core that are there", connections.filter((each) => each.isConnected).length],
    ["connections_wanted", "Connections to IoT Core that the load asks for", connections.length],
    [
      "pace_share",
      "Of the full pace of all connections: less than 1 where IoT Core did not keep up",
      paceOf(connections),
    ],
    ["messages_held", "Messages of QoS 1 that are taken from the broker and not acknowledged", held],
    ["publishes_waiting", "Publishes that wait for their turn", waiting],
    ["publishes_unacknowledged", "Publishes without a PUBACK", unacknowledged],
  ];
  const lines = [
    ...Object.entries(counters).flatMap(([key, [name, help]]) =>
      metric(`${name}_total`, help, "counter", counts[key as keyof RelayCounts]),
    ),
    ...gauges.flatMap(([name, help, value]) => metric(name, help, "gauge", value)),
  ];
  return `${lines.join("\n")}\n`;
}

function metric(name: string, help: string, type: "counter" | "gauge", value: number): readonly string[] {
  const full = `trestle_relay_${name}`;
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, `${full} ${value}`];
}

function paceOf(connections: Watched["uplink"]["connections"]): number {
  return connections.reduce((sum, { share }) => sum + share, 0) / Math.max(1, connections.length);
}
