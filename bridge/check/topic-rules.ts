import { overlap } from "./bridge-topic.ts";
import { type BrokerConf, isLocalConnection, settingOf, type TopicOf } from "./broker-conf.ts";
import type { Rule } from "./rule.ts";

const iotMqtt = "docs.aws.amazon.com/iot/latest/developerguide/mqtt.html";
const iotQuotas = "docs.aws.amazon.com/general/latest/gr/iot-core.html";

/** Levels of a topic that IoT Core takes; those of the Basic Ingest prefix are not counted. */
const maxLevels = 8;
/** Of a topic that goes straight to one rule. */
export const basicIngestPrefix = /^\$aws\/rules\/[^/]+\//;

/** What a `topic` line of the bridge has to say. */
export const topicRules: readonly Rule<TopicOf>[] = [
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "topic",
    isWrong: ({ topic }) => topic.qos === 2,
    reason:
      "IoT Core has no QoS 2: it answers neither the publish nor the subscription, and the bridge waits for ever. 1",
    source: iotMqtt,
  },
  {
    code: "BRIDGE_LOOP",
    severity: "refused",
    directive: "topic",
    isWrong: ({ topic }) => topic.direction === "both",
    reason:
      "what goes out comes back: IoT Core takes no notice of No Local, by which Mosquitto would prevent it. One line 'out' and another 'in', of different topics",
    source: `${iotMqtt}; aws-iot-device-sdk-python-v2 issue 464`,
  },
  {
    code: "BRIDGE_LOOP",
    severity: "refused",
    directive: "topic",
    isWrong: (subject, conf) => {
      if (subject.topic.direction !== "out") return false;
      const other = conf.topics.find(
        ({ topic }) => topic.direction === "in" && overlap(topic.remote, subject.topic.remote),
      );
      return (
        other !== undefined && `line ${other.line.line}, 'topic ${other.line.value}', subscribes to what this publishes`
      );
    },
    reason: "what goes out comes back, and where it matches again, round and round",
    source: iotMqtt,
  },
  {
    code: "BRIDGE_LOOP",
    severity: "refused",
    directive: "topic",
    isWrong: (subject, conf) => sameDirection(subject, conf),
    reason:
      "each message crosses once for each of them. For 'out' lines of several connections $share divides; an 'in' filter has one connection",
    source: "measured with Mosquitto 2.0.11",
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "topic",
    isWrong: ({ topic, connection }) =>
      topic.isShared &&
      topic.direction !== "out" &&
      settingOf(connection, "bridge_protocol_version", "mqttv311") === "mqttv50",
    reason:
      "a shared subscription with No Local, which an MQTT 5 bridge always sets, is a protocol error (MQTT 5 §3.8.3.1), and gets no retained command",
    source: "measured with Mosquitto 2.0.22",
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "topic",
    isWrong: ({ topic }) => topic.isShared && topic.isRemapped,
    reason: "with $share the prefixes are not replaced: messages leave under their local topic",
    source: "measured with Mosquitto 2.0.11, 2.0.22 and 2.1.2",
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "topic",
    isWrong: ({ topic }) => levelsOf(topic.remote) > maxLevels,
    reason: `more than ${maxLevels} levels: IoT Core ends the connection over each message, and the bridge sends it first again, for ever`,
    source: iotQuotas,
  },
  {
    code: "BRIDGE_STALLS",
    severity: "warning",
    directive: "topic",
    isWrong: ({ topic, connection }) =>
      topic.direction !== "in" && topic.remote.endsWith("#") && !isLocalConnection(connection),
    reason: `# lets topics of any depth pass. One with more than ${maxLevels} levels makes IoT Core end the connection, again and again; have + for each level, or an ACL that allows no more`,
    source: iotQuotas,
  },
  {
    code: "BRIDGE_NOT_DURABLE",
    severity: "warning",
    directive: "topic",
    isWrong: ({ topic }) => !topic.isQosSaid && topic.direction !== "in",
    reason: "the line says no QoS, which means 0: what is published while the bridge is away is lost",
    source: "mosquitto.conf(5), topic",
  },
];

function sameDirection({ line, topic }: TopicOf, { topics }: BrokerConf): boolean | string {
  const before = topics.slice(
    0,
    topics.findIndex((each) => each.line === line),
  );
  const other = before.find(
    (each) =>
      each.topic.direction === topic.direction &&
      !(each.topic.isShared && topic.isShared) &&
      overlap(each.topic.local, topic.local) &&
      overlap(each.topic.remote, topic.remote),
  );
  return other !== undefined && `line ${other.line.line}, 'topic ${other.line.value}', takes some of the same topics`;
}

function levelsOf(filter: string): number {
  return filter.replace(basicIngestPrefix, "").replace(/\/?#$/, "").split("/").length;
}
