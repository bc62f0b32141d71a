import { connect as connectMqtt, type IClientOptions, type IConnackPacket, type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, onTestFinished } from "vitest";
import { type LimitedIotCore, startLimitedIotCore } from "../limited-iot-core.ts";
import { connectAs, type TestClient } from "../mqtt-client.ts";
import { PacketType, type ProtocolVersion, RawClient } from "../raw-mqtt.ts";
import { startTlsLine } from "../tls-line.ts";
import { ManualClock } from "./clock.ts";
import { everything } from "./policy.ts";

/** Versions of the protocol, 4 being MQTT 3.1.1. */
export const versions = [4, 5] as const;

/** A Basic Ingest prefix. */
export const ingest = "$aws/rules/acme_prod_location/";

export const shortTopic: Buffer = Buffer.from(`${ingest}a`);

/** For each test of a file a stand-in whose policy allows everything, and whose clock stands still. */
export function limitedStage(): Stage {
  const stage = new Stage();
  beforeEach(() => stage.set());
  afterEach(() => stage.cloud[Symbol.asyncDispose]());
  return stage;
}

class Stage {
  clock = new ManualClock();
  #cloud: LimitedIotCore | undefined;

  async set(): Promise<void> {
    this.clock = new ManualClock();
    this.#cloud = await startLimitedIotCore({ clock: this.clock, policy: everything });
  }

  get cloud(): LimitedIotCore {
    if (this.#cloud === undefined) throw new Error("the stand-in is started before each test");
    return this.#cloud;
  }

  /** A client with the id `one`, unless the options say otherwise. */
  async connectOne(options: IClientOptions = {}): Promise<TestClient> {
    return await connectAs(this.cloud.url, "", { ...(await this.cloud.credentials()), clientId: "one", ...options });
  }

  async connectAndSee(options: IClientOptions): Promise<{ client: MqttClient; connack: IConnackPacket }> {
    const client = connectMqtt(this.cloud.url, {
      ...(await this.cloud.credentials()),
      ...{ clientId: "one", protocolVersion: 5, reconnectPeriod: 0 },
      ...options,
      // Its own pings would break the silence.
      reschedulePings: false,
    });
    onTestFinished(() => client.endAsync(true));
    const connack = await new Promise<IConnackPacket>((resolve) => client.once("connect", resolve));
    return { client, connack };
  }

  async openRaw(version: ProtocolVersion): Promise<RawClient> {
    const line = await startTlsLine(this.cloud.port, await this.cloud.credentials());
    onTestFinished(() => line[Symbol.asyncDispose]());
    return await RawClient.open(line.port, version);
  }

  /** As `openRaw`, and with CONNECT and CONNACK behind it. */
  async connectRaw(version: ProtocolVersion): Promise<RawClient> {
    const client = await this.openRaw(version);
    client.connect("ignored", undefined, { clientId: "one" });
    expect(await client.next()).toMatchObject({ type: PacketType.connack });
    return client;
  }
}

/** SUBSCRIBE to one short filter, with packet identifier 2 and without properties. */
export function subscribePacket(version: ProtocolVersion, filter: string, qos: number): Buffer {
  const properties = version === 5 ? [0] : [];
  const body = [0, 2, ...properties, 0, filter.length, ...Buffer.from(filter), qos];
  return Buffer.from([0x82, body.length, ...body]);
}

export function closed(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once("close", () => resolve()));
}
