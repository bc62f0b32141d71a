// The ways to ask a device something: all that differs between the askers.
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import mqtt, { type IPublishPacket, type MqttClient } from "mqtt";
import { connect } from "../../client/connect.ts";
import { openCommands } from "../../lambdas/commands/open-commands.ts";
import { openPublishers } from "../../lambdas/publish/open-publishers.ts";
import { documentClient } from "../../lambdas/store/tables.ts";
import { parseTopicTemplate, type TopicTemplate } from "../../scheme/topic-template.ts";

export interface AskingOptions {
  readonly brokerUrl: string;
  readonly protocolVersion: 4 | 5;
  /** The commands' table, at the DynamoDB that the environment names. */
  readonly table?: string;
}

export interface Asking {
  /** Resolves with the answer's body, which is to be the request's. */
  ask(device: string, body: string): Promise<string>;
  /** Before the first of some requests, and after the last: others are measured then, and are not to be overheard. */
  begin?(): Promise<unknown>;
  end?(): Promise<unknown>;
  /** Requests under way at one time; as many as are wanted where it is absent. */
  readonly atOnce?: number;
}

export const askings: Readonly<Record<string, (options: AskingOptions) => Promise<Asking>>> = {
  client: async ({ brokerUrl, protocolVersion }) => {
    const client = await connect(brokerUrl, { protocolVersion });
    return {
      ask: async (device, body) => {
        const options = { replyTopic: `Push/Replies/${device}`, timeoutMs: 30_000 };
        const answer = await client.request(`Push/SDKControls/${device}`, body, options);
        return bodyOf(answer.payload, protocolVersion);
      },
    };
  },

  /** What one would write in an hour: a subscription to all replies, and a map of who waits. */
  "by hand": async ({ brokerUrl, protocolVersion }) => {
    const client = await connectByHand(brokerUrl, protocolVersion);
    const waiting = new Map<string, (body: string) => void>();
    client.on("message", (_topic, payload, packet) => {
      const id = idOf(payload, packet, protocolVersion);
      waiting.get(id)?.(bodyOf(payload, protocolVersion));
      waiting.delete(id);
    });
    return {
      begin: () => client.subscribeAsync("Push/Replies/+", { qos: 1 }),
      end: () => client.unsubscribeAsync("Push/Replies/+"),
      ask: (device, body) =>
        new Promise((resolve) => {
          const id = randomUUID();
          waiting.set(id, resolve);
          publishByHand(client, { device, body, id, protocolVersion });
        }),
    };
  },

  /** What the push endpoint does with a request whose caller waits, without HTTP: recorded, published, answered, recorded. */
  ledger: async ({ brokerUrl, table = "" }) => {
    const publishers = openPublishers({
      ...{ brokers: [], urls: [brokerUrl] },
      fetchSecret: () => Promise.reject(new Error("there are no secrets")),
    });
    const scheme = { commands: { topic: topicOf("Push/SDKControls"), replies: topicOf("Push/Replies") } };
    const commands = openCommands({ client: documentClient(), table, publishers, scheme, onDeaf: console.error });
    return {
      // As many as `POST /commands` has under way: the SDK has 50 connections, and gives up who waits long for one.
      atOnce: 50,
      ask: async (deviceId, body) => {
        const issuedAt = Date.now();
        const [id, deadlineAt] = [randomUUID(), issuedAt + 30_000];
        await using wait = await commands.awaitReply(deviceId, id);
        await commands.send({ id, deviceId, kind: "request", body, issuedAt, deadlineAt });
        return (await wait.answered(deadlineAt))?.reply?.body ?? "no answer";
      },
    };
  },

  anew: async ({ brokerUrl, protocolVersion }) => ({
    ask: async (device, body) => {
      const client = await connectByHand(brokerUrl, protocolVersion);
      const id = randomUUID();
      await client.subscribeAsync(`Push/Replies/${device}`, { qos: 1 });
      const answer = new Promise<string>((resolve) => {
        client.on("message", (_topic, payload, packet) => {
          if (idOf(payload, packet, protocolVersion) === id) resolve(bodyOf(payload, protocolVersion));
        });
      });
      publishByHand(client, { device, body, id, protocolVersion });
      await answer;
      await client.endAsync();
      return answer;
    },
  }),
};

function topicOf(prefix: string): TopicTemplate {
  const topic = parseTopicTemplate(`${prefix}/{deviceId}`);
  if ("code" in topic) throw new Error(topic.message);
  return topic;
}

async function connectByHand(url: string, protocolVersion: 4 | 5): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { protocolVersion });
  // As `client/` has it: otherwise the round trip is the kernel's delayed acknowledgement, 40 ms.
  (client.stream as unknown as Socket).setNoDelay(true);
  return client;
}

interface RequestByHand {
  readonly device: string;
  readonly body: string;
  readonly id: string;
  readonly protocolVersion: 4 | 5;
}

function publishByHand(client: MqttClient, { device, body, id, protocolVersion }: RequestByHand): void {
  const topic = `Push/SDKControls/${device}`;
  if (protocolVersion === 4) {
    client.publish(topic, `{"header":{"commandId":"${id}"},"body":${body}}`, { qos: 1 });
  } else {
    const properties = { responseTopic: `Push/Replies/${device}`, correlationData: Buffer.from(id) };
    client.publish(topic, body, { qos: 1, properties });
  }
}

function idOf(payload: Buffer, { properties }: IPublishPacket, protocolVersion: 4 | 5): string {
  if (protocolVersion === 5) return properties?.correlationData?.toString() ?? "";
  return JSON.parse(payload.toString()).header.commandId;
}

function bodyOf(payload: Buffer, protocolVersion: 4 | 5): string {
  return protocolVersion === 5 ? payload.toString() : JSON.stringify(JSON.parse(payload.toString()).body);
}
