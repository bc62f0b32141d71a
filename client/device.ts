import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "./client.ts";
import { encodeAnswer, type Recipient } from "./device/answer.ts";
import { Backlog, type OutgoingMessage } from "./device/backlog.ts";
import { type Answer, CommandLog } from "./device/command-log.ts";
import { Commands } from "./device/commands.ts";
import { DeviceError } from "./device/device-error.ts";
import type { DeviceOptions, DevicePublishOptions } from "./device/device-options.ts";
import { type DevicePayload, encodePayload, withMessageId } from "./device/payload.ts";
import { noStore, OrderedStore } from "./device/store.ts";
import { checkDeviceId, deviceTopic } from "./device/topic.ts";
import { Uplink } from "./device/uplink.ts";

/**
 * A device's side of Trestle, for drivers, simulators and gateways: what it sends arrives, and what it is told it does
 * once.
 *
 * ```ts
 * await using device = await Device.connect("mqtts://broker.example.com", {
 *   deviceId: "d42",
 *   password,
 *   commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
 *   onCommand: ({ body }) => obey(body), // what it gives back is the answer; what it throws is the answer `failed`
 * });
 * await device.publish("v1/drivers/{deviceId}/location", { body: { lat: 52.52, lon: 13.4 } });
 * ```
 *
 * Messages at QoS 1 are kept until the broker has acknowledged them, and sent again in order after a lost connection.
 * Each has an `Idempotency-Key`, so that one which arrives twice is one request.
 *
 * A command is handled once, however often and by however many ways it arrives; a duplicate is given the answer that the
 * first one was given. Commands are handled one at a time, in order. A state that is older than one that was seen is
 * dropped, also while it waits for its turn; so is a request that expired. With a `store` all of this holds across
 * restarts, and a handler has to keep what it was told for as long: a state that it has answered does not come back. The
 * one command that is handled twice is the one whose handler the end of the process has cut short.
 */
export class Device implements AsyncDisposable {
  readonly deviceId: string;
  readonly #options: DeviceOptions;
  readonly #store: OrderedStore;
  readonly #messages: Backlog;
  readonly #answers: Backlog;
  readonly #commands: Commands | undefined;
  /** Answers on their way: a duplicate that arrives meanwhile gets none beside it. */
  readonly #answering = new Set<string>();
  readonly #uplink: Uplink;
  #closing: Promise<readonly OutgoingMessage[]> | undefined;

  private constructor(url: string, options: DeviceOptions, store: OrderedStore, kept: ReadonlyMap<string, string>) {
    const { deviceId, commands, onCommand, maxUnacknowledged = 1_000, maxRemembered = 1_000, now = Date.now } = options;
    this.deviceId = deviceId;
    this.#options = options;
    this.#store = store;
    const backlog = {
      ...{ capacity: maxUnacknowledged, store, retryDelayMs: 1_000 },
      send: (message: OutgoingMessage) => this.#uplink.send(message),
      isConnected: () => this.isConnected,
      onProblem: this.#report,
    };
    this.#messages = new Backlog({ name: "message", ...backlog }, kept);
    this.#answers = new Backlog({ name: "answer", ...backlog }, kept);
    const isCommanded = commands !== undefined;
    const repliesTopic = isCommanded ? deviceTopic(commands.replies, deviceId) : "";
    this.#commands = isCommanded
      ? new Commands({
          ...{ onCommand, onProblem: this.#report, capacity: maxRemembered },
          log: CommandLog.from(kept, store, { capacity: maxRemembered, now }),
          answer: (recipient, answer) => this.#answer(repliesTopic, recipient, answer),
        })
      : undefined;
    this.#uplink = new Uplink(url, options, {
      commandsTopic: isCommanded ? deviceTopic(commands.topic, deviceId) : undefined,
      take: (message) => this.#commands?.take(message),
      onConnect: () => {
        this.#answers.resume();
        this.#messages.resume();
      },
      onProblem: this.#report,
    });
  }

  /**
   * Resolves when the broker has accepted the connection and the subscription to the commands.
   *
   * @throws {ClientError} where there is no connection
   * @throws {DeviceError} `DEVICE_ID_INVALID`, `TOPIC_INVALID`, `STORE_FAILED`
   */
  static async connect(url: string, options: DeviceOptions): Promise<Device> {
    checkDeviceId(options.deviceId);
    const store = new OrderedStore(options.store ?? noStore);
    const device = new Device(url, options, store, new Map(await store.load()));
    await device.#uplink.open();
    return device;
  }

  /** Whether there is a connection, as far as one can know without asking. */
  get isConnected(): boolean {
    return this.#uplink.client?.isConnected ?? false;
  }

  /** The connection, for whatever else a device does: feeds that it reads. Undefined until there was a first one. */
  get client(): Client | undefined {
    return this.#uplink.client;
  }

  /** Messages that wait for their acknowledgement, answers included. */
  get unacknowledgedCount(): number {
    return this.#messages.size + this.#answers.size;
  }

  /**
   * Sends a message on a topic in which `{deviceId}` is the device's id. At QoS 1 the promise resolves with the broker's
   * acknowledgement, whenever that is; it need not be awaited.
   *
   * @throws {DeviceError} `BACKLOG_FULL`, `TOPIC_INVALID`, `MESSAGE_INVALID`, `DEVICE_CLOSED`; once it was taken:
   *   `MESSAGE_REFUSED`, `MESSAGE_LOST`, `STORE_FAILED`, which are told to `onProblem` too
   * @throws {MessageError} for a header that HTTP does not take
   */
  publish(topic: string, message: DevicePayload, { qos = 1 }: DevicePublishOptions = {}): Promise<void> {
    try {
      if (this.#closing !== undefined) throw new DeviceError("DEVICE_CLOSED", `the device ${this.deviceId} is closed`);
      const name = deviceTopic(topic, this.deviceId);
      if (qos === 0) return this.#uplink.sendOnce(name, encodePayload(message));
      return this.#messages.push({ topic: name, payload: encodePayload(withMessageId(message)) });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Takes no more commands and messages, waits for the running handler and for acknowledgements, and ends the
   * connection.
   *
   * @returns What the broker has not acknowledged in time: the store has it for the next start, if there is one.
   */
  close(): Promise<readonly OutgoingMessage[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** As {@link close}; what was not acknowledged is told to `onProblem`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #answer(repliesTopic: string, recipient: Recipient, answer: Answer): void {
    const message = encodeAnswer(repliesTopic, recipient, answer);
    const name = `${recipient.commandId} ${message.topic}`;
    if (this.#answering.has(name)) return;
    try {
      const sent = this.#answers.push(message);
      this.#answering.add(name);
      sent.catch(() => {}).finally(() => this.#answering.delete(name));
    } catch (error) {
      const { message: problem } = error as DeviceError;
      this.#report(new DeviceError("ANSWER_LOST", `no answer to ${recipient.commandId}: ${problem}`, { cause: error }));
    }
  }

  async #close(): Promise<readonly OutgoingMessage[]> {
    const { closeTimeoutMs = 5_000, store } = this.#options;
    const finish = async () => {
      await this.#commands?.close();
      await Promise.all([this.#answers.emptied(), this.#messages.emptied()]);
    };
    const timer = new AbortController();
    const timeout = delay(closeTimeoutMs, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([finish(), timeout]);
    timer.abort();
    const fate = store === undefined ? "nothing keeps it" : "the store has it for the next start";
    const left = [this.#answers, this.#messages].flatMap((backlog) => backlog.close(fate));
    if (left.length > 0) {
      const problem = `${left.length} messages were not acknowledged within ${closeTimeoutMs} ms; ${fate}`;
      this.#report(new DeviceError("MESSAGE_LOST", problem));
    }
    await this.#uplink[Symbol.asyncDispose]();
    await this.#store.settled();
    return left;
  }

  /** In a turn of its own, so that what it throws is the process's and disturbs nothing here. */
  readonly #report = (error: DeviceError): void => {
    queueMicrotask(() => this.#options.onProblem?.(error));
  };
}
