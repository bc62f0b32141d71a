import type { Discard, Ending } from "./endings.ts";
import type { Exchange, Line } from "./exchange.ts";
import { type Packet, PacketType, type Verdict } from "./packet-splitter.ts";
import { faultOf, type PublishPacket, readPublish } from "./publish-packet.ts";
import {
  hasIdentifier,
  isReservedFilter,
  plainSubscribe,
  readSubscribe,
  refusalOf,
  refusingSuback,
} from "./subscribe-packet.ts";

/** What becomes of a client's packet, after its CONNECT. */
export function judgeFromClient(packet: Packet, exchange: Exchange, line: Line): Verdict {
  switch (packet.type) {
    case PacketType.publish:
      return judgePublish(packet, exchange, line);
    case PacketType.subscribe:
      return judgeSubscribe(packet, exchange, line);
    case PacketType.connect:
      return ends(line, "protocol error");
    default:
      return "pass";
  }
}

function judgePublish(packet: Packet, exchange: Exchange, line: Line): Verdict {
  const { limits, tally, policy, faults, onPublish } = exchange.shared;
  const { counts } = tally;
  counts.received++;
  const publish = readPublish(packet, exchange.version);
  const fault = faultOf(publish, limits);
  if (fault !== undefined) return ends(line, fault);
  if (limits.endsUnauthorized && !policy.mayPublish(publish.topic)) return ends(line, "not authorized");
  const reason = discardOf(publish, exchange);
  onPublish?.(publish, reason);
  if (reason !== undefined) {
    tally.add(counts.discarded, reason);
    return "drop";
  }
  counts.passed++;
  if (publish.qos === 1) {
    exchange.unacknowledged.add(publish.packetId);
    if (faults.forgetsPuback(counts.passed)) exchange.toForget.add(publish.packetId);
  }
  return "pass";
}

function discardOf({ qos }: PublishPacket, exchange: Exchange): Discard | undefined {
  const { limits } = exchange.shared;
  if (qos === 2 && limits.ignoresQos2) return "QoS 2";
  if (!exchange.takePublish()) return "rate";
  return qos === 1 && exchange.unacknowledged.size >= limits.inboundUnacknowledged ? "unacknowledged" : undefined;
}

function judgeSubscribe(packet: Packet, exchange: Exchange, line: Line): Verdict {
  const { limits, policy } = exchange.shared;
  const subscribe = readSubscribe(packet, exchange.version);
  const filters = subscribe.subscriptions.map(({ filter }) => filter);
  if (hasIdentifier(subscribe)) return ends(line, "subscription identifier");
  if (limits.endsReserved && filters.some(isReservedFilter)) return ends(line, "reserved topic");
  const isAllowed = filters.every((filter) => policy.maySubscribe(filter));
  const code = limits.endsUnauthorized && !isAllowed ? 0x87 : refusalOf(subscribe, exchange.filters, limits);
  if (code !== undefined) {
    line.toClient(refusingSuback(subscribe, exchange.version, code));
    return "drop";
  }
  if (limits.ignoresQos2 && subscribe.subscriptions.some(({ options }) => (options & 3) === 2)) return "drop";
  for (const filter of filters) exchange.filters.add(filter);
  return limits.ignoresSubscriptionOptions ? plainSubscribe(subscribe, exchange.version) : "pass";
}

function ends(line: Line, reason: Ending): "stop" {
  line.end(reason);
  return "stop";
}
