import { setTimeout as delay } from "node:timers/promises";
import { reconnectDelayMs } from "../backoff.ts";
import { Client } from "../client.ts";
import { ClientError } from "../client-error.ts";
import type { Message } from "../message.ts";
import type { Delivery, OutgoingMessage } from "./backlog.ts";
import { DeviceError } from "./device-error.ts";
import type { DeviceOptions } from "./device-options.ts";

export interface UplinkHandlers {
  /** Undefined where the device takes no commands. */
  readonly commandsTopic: string | undefined;
  readonly take: (message: Message) => void;
  /** Called for each connection, the first one included, when the commands are subscribed to. */
  readonly onConnect: () => void;
  readonly onProblem: (error: DeviceError) => void;
}

const defaultDelay = { minMs: 1_000, maxMs: 30_000 };

/** A device's client with its subscription to the commands, and where it may, without a first connection yet. */
export class Uplink implements AsyncDisposable {
  readonly #url: string;
  readonly #options: DeviceOptions;
  readonly #handlers: UplinkHandlers;
  readonly #giveUp = new AbortController();
  #opening: Promise<void> | undefined;
  #client: Client | undefined;

  constructor(url: string, options: DeviceOptions, handlers: UplinkHandlers) {
    this.#url = url;
    this.#options = options;
    this.#handlers = handlers;
  }

  get client(): Client | undefined {
    return this.#client;
  }

  /** @throws {ClientError} where there is no connection, unless it may come later. */
  async open(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      const isRetryable = error instanceof ClientError && error.isRetryable;
      if (this.#options.mayStartOffline !== true || !isRetryable) throw error;
      this.#opening = this.#keepOpening();
    }
  }

  /** Tries once. Never rejects. */
  async send({ topic, payload, properties }: OutgoingMessage): Promise<Delivery> {
    if (this.#client === undefined) return "again";
    try {
      await this.#client.publish(topic, payload, properties === undefined ? {} : { properties });
      return "acknowledged";
    } catch (error) {
      const isFinal = error instanceof ClientError && finalCodes.has(error.code) && !error.isRetryable;
      return isFinal ? error : "again";
    }
  }

  /** At QoS 0, where losing a message is fine: without a connection it is dropped. */
  async sendOnce(topic: string, payload: Buffer): Promise<void> {
    if (this.#client?.isConnected !== true) return;
    await this.#client.publish(topic, payload, { qos: 0 }).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#giveUp.abort();
    await this.#opening;
    await this.#client?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<void> {
    const { commandsTopic: topic, take, onConnect, onProblem } = this.#handlers;
    const { deviceId, username = hasUser(this.#url) ? undefined : deviceId, ...options } = this.#options;
    const client = await Client.connect(this.#url, {
      ...{ clientId: deviceId, ...options },
      ...(username === undefined ? {} : { username }),
      // What a session has kept arrives before the subscription is made anew.
      onUnclaimed: (message) => (message.topic === topic ? take(message) : options.onUnclaimed?.(message)),
    });
    const onEnd = (reason: Error) => {
      if (!isEnd(reason)) onProblem(new DeviceError("COMMANDS_ENDED", reason.message, { cause: reason }));
    };
    try {
      if (topic !== undefined) await client.listen(topic, take, { onEnd });
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
    this.#client = client;
    client.onConnect(onConnect);
    void client.closed.then((reason) => {
      if (reason.code !== "CLIENT_CLOSED")
        onProblem(new DeviceError("CONNECTION_ENDED", reason.message, { cause: reason }));
    });
    onConnect();
  }

  async #keepOpening(): Promise<void> {
    const { signal } = this.#giveUp;
    const { reconnectDelay = defaultDelay } = this.#options;
    for (let attempt = 0; !signal.aborted && this.#client === undefined; attempt++) {
      await delay(reconnectDelayMs(attempt, Math.random(), reconnectDelay), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.#open().catch(() => {}); // whatever the reason: a broker may take a later one
    }
  }
}

/** The broker's word on the message, or a message that is none. */
const finalCodes: ReadonlySet<ClientError["code"]> = new Set(["CLIENT_REFUSED", "CLIENT_INVALID"]);

/** Whether a subscription ended since the whole client did. */
function isEnd(reason: Error): boolean {
  return reason instanceof ClientError && reason.code === "CLIENT_DISCONNECTED";
}

function hasUser(url: string): boolean {
  return (URL.parse(url)?.username ?? "") !== "";
}
