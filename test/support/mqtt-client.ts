import { EventEmitter, once } from "node:events";
import {
  connectAsync,
  type IClientOptions,
  type IClientPublishOptions,
  type IClientSubscribeOptions,
  type IPublishPacket,
  type MqttClient,
} from "mqtt";

let connections = 0;

/** A message as its subscriber got it. */
export interface Received {
  readonly topic: string;
  readonly payload: Buffer;
  readonly packet: IPublishPacket;
}

/** Connects as the named user, over MQTT 5 where the options do not say otherwise, and without reconnecting. */
export async function connectAs(url: string, username: string, options: IClientOptions = {}): Promise<TestClient> {
  const clientId = `${username}-${process.pid}-${connections++}`;
  return new TestClient(
    await connectAsync(url, { username, clientId, protocolVersion: 5, reconnectPeriod: 0, ...options }),
  );
}

/** An MQTT client that keeps what it receives; `await using` ends it. */
export class TestClient implements AsyncDisposable {
  readonly mqtt: MqttClient;
  readonly messages: Received[] = [];
  readonly #arrivals = new EventEmitter();

  constructor(mqtt: MqttClient) {
    this.mqtt = mqtt;
    mqtt.on("message", (topic, payload, packet) => {
      this.messages.push({ topic, payload, packet });
      this.#arrivals.emit("message");
    });
  }

  /** Publishes, at QoS 1 where the options do not say otherwise; rejects where MQTT 5 gives a reason to. */
  async publish(topic: string, payload: string | Buffer, options: IClientPublishOptions = {}): Promise<void> {
    await this.mqtt.publishAsync(topic, payload, { qos: 1, ...options });
  }

  async subscribe(filters: readonly string[], options: IClientSubscribeOptions = { qos: 1 }): Promise<void> {
    await this.mqtt.subscribeAsync([...filters], options);
  }

  /** Waits until a wanted message is there, and gives the first one. */
  async until(isWanted: (message: Received) => boolean): Promise<Received> {
    for (;;) {
      const found = this.messages.find(isWanted);
      if (found !== undefined) return found;
      await once(this.#arrivals, "message");
    }
  }

  /** Topics and payloads as text, which is what most tests compare. */
  get texts(): readonly string[] {
    return this.messages.map(({ topic, payload }) => `${topic} ${payload}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mqtt.endAsync(true);
  }
}
