import type { IPublishPacket } from "mqtt";
import { type Delivery, Intake, type IntakeOptions } from "../client/intake.ts";
import { userPropertiesOf } from "../client/message.ts";
import type { MqttProperties } from "../sql/message.ts";
import type { IncomingMessage } from "./engine.ts";
import { EngineError } from "./engine-error.ts";
import { RuleFailure } from "./rule.ts";
import { SubscribedFilters } from "./subscribed-filters.ts";

export interface BrokerOptions extends Omit<IntakeOptions, "subscriptions" | "accept" | "isLost" | "keepAliveSeconds"> {
  readonly topicFilters: readonly string[];
  /**
   * Resolves when the message may be acknowledged, rejects when nobody has it, with a `RuleFailure` that says for how
   * long.
   *
   * @param filters Those that the broker sends it for, where it says so: it may send it once more for another one.
   */
  readonly accept: (message: IncomingMessage, delivery?: Delivery, filters?: readonly string[]) => Promise<void>;
  /** Seconds between packets at most, 60 by default. */
  readonly keepalive?: number;
}

/** The broker's messages as rules see them, each acknowledged when the engine has it. */
export class BrokerConnection implements AsyncDisposable {
  readonly #intake: Intake;

  private constructor(intake: Intake) {
    this.#intake = intake;
  }

  /**
   * Connects, with MQTT 5 where the broker has it, and subscribes. Reconnects by itself from then on.
   *
   * @throws {EngineError} `ERR_BROKER`
   */
  static async open({ topicFilters, accept, keepalive, ...options }: BrokerOptions): Promise<BrokerConnection> {
    const filters = new SubscribedFilters(topicFilters);
    try {
      const intake = await Intake.open({
        ...options,
        ...(keepalive === undefined ? {} : { keepAliveSeconds: keepalive }),
        subscriptions: topicFilters.map((filter) => ({ ...filters.subscriptionOf(filter), qos: 1 })),
        accept: (packet, delivery) => {
          const { subscriptionIdentifier, ...properties } = packet.properties ?? none;
          return accept(messageOf(packet, properties), delivery, filters.named(subscriptionIdentifier));
        },
        isLost: (error) => error instanceof RuleFailure && !error.isRetryable,
      });
      return new BrokerConnection(intake);
    } catch (error) {
      throw new EngineError("ERR_BROKER", error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** Takes no message any more and resolves when those that were taken are acknowledged or given up. */
  async stop(): Promise<void> {
    await this.#intake.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#intake[Symbol.asyncDispose]();
  }
}

const none: PublishProperties = {};

type PublishProperties = NonNullable<IPublishPacket["properties"]>;

/** @param properties Its sender's; a message with none is as one of MQTT 3.1.1. */
function messageOf({ topic, payload }: IPublishPacket, properties: PublishProperties): IncomingMessage {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
  if (Object.keys(properties).length === 0) return { topic, payload: bytes };
  return { topic, payload: bytes, ...propertiesOf(properties) };
}

function propertiesOf(properties: PublishProperties): Partial<IncomingMessage> {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  const mqttProperties: MqttProperties = {
    payloadFormatIndicator: payloadFormatIndicator ? "UTF8_DATA" : "UNSPECIFIED_BYTES",
    contentType,
    responseTopic,
    correlationData: correlationData?.toString("base64"),
  };
  if (userProperties === undefined) return { mqttProperties };
  return { mqttProperties, userProperties: userPropertiesOf(userProperties) };
}
