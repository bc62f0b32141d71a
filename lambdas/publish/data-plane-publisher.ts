import { setTimeout as delay } from "node:timers/promises";
import type { IoTDataPlaneClient, IoTDataPlaneClientConfig } from "@aws-sdk/client-iot-data-plane";
import type { CommandPublisher, OutgoingMessage, PublishOptions } from "./command-publisher.ts";
import { checkSize } from "./limits.ts";
import { PublishError, type PublishErrorCode } from "./publish-error.ts";
import { Turns, unlessAborted } from "./turns.ts";

export interface DataPlaneOptions {
  readonly name: string;
  /** In place of what the SDK reads from the environment. */
  readonly client?: IoTDataPlaneClientConfig;
  /** Milliseconds from an answer of "too many" to the next try; 1,000 by default. */
  readonly throttledPauseMs?: number;
}

/**
 * Publishes to devices that are connected to IoT Core itself, by its data plane.
 *
 * The SDK's own endpoint is asked, `data-ats.iot.<region>.amazonaws.com`: it knows the account by the signature, so that
 * nobody has to look up the account's own one. `AWS_ENDPOINT_URL_IOT_DATA_PLANE` names another. The function's role has
 * `iot:Publish`, `iot:RetainPublish` and `iot:GetRetainedMessage` on the topics.
 *
 * Messages on one topic go one after another: requests at the same time would arrive in any order.
 */
export class DataPlanePublisher implements CommandPublisher {
  readonly name: string;
  readonly #options: DataPlaneOptions;
  readonly #turns = new Turns();
  #client: IoTDataPlaneClient | undefined;

  constructor(options: DataPlaneOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async publish(message: OutgoingMessage, { timeoutMs }: PublishOptions): Promise<void> {
    checkSize(this.name, message);
    const { topic, payload, isRetained, messageExpirySeconds } = message;
    await this.#inTime(timeoutMs, (abortSignal) =>
      this.#turns.run(topic, abortSignal, async () => {
        const [client, { PublishCommand }] = await this.#connect();
        const input = { topic, payload, qos: 1, retain: isRetained, messageExpiry: messageExpirySeconds };
        await this.#patiently(abortSignal, () => client.send(new PublishCommand(input), { abortSignal }));
      }),
    );
  }

  async readRetained(topic: string, { timeoutMs }: PublishOptions): Promise<Uint8Array | undefined> {
    return await this.#inTime(timeoutMs, async (abortSignal) => {
      const [client, { GetRetainedMessageCommand }] = await this.#connect();
      const ask = () => client.send(new GetRetainedMessageCommand({ topic }), { abortSignal });
      const { payload } = await this.#patiently(abortSignal, ask).catch((error: unknown) => {
        if (wordsOf(error).name === "ResourceNotFoundException") return { payload: undefined };
        throw error;
      });
      return payload === undefined || payload.byteLength === 0 ? undefined : payload;
    });
  }

  /** Over HTTP nothing can be heard. */
  async listen(): Promise<undefined> {
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.destroy();
  }

  /** The SDK is loaded when it is first wanted, and is not even in the bundle of a scheme without this broker. */
  async #connect() {
    const sdk = await import("@aws-sdk/client-iot-data-plane");
    // Seven seconds at the most: three attempts of two seconds, with the SDK's pauses between them.
    this.#client ??= new sdk.IoTDataPlaneClient({
      maxAttempts: 3,
      requestHandler: {
        connectionTimeout: 1_000,
        requestTimeout: 2_000,
        throwOnRequestTimeout: true,
        // The time-outs count the wait for a connection: a command to 1,000 devices at once is not to wait for long.
        httpsAgent: { maxSockets: 100 },
      },
      ...this.#options.client,
    });
    return [this.#client, sdk] as const;
  }

  /** Asks again for as long as there is time: IoT Core takes one retained message a second on a topic. */
  async #patiently<Result>(signal: AbortSignal, ask: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        // The SDK's pauses do not end with the signal; what it would send after them is not sent.
        return await unlessAborted(ask(), signal);
      } catch (error) {
        if (codeOf(error) !== "BROKER_THROTTLED") throw error;
        await delay(this.#options.throttledPauseMs ?? 1_000, undefined, { signal }).catch(() => Promise.reject(error));
      }
    }
  }

  async #inTime<Result>(timeoutMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await work(signal);
    } catch (error) {
      const message = error === signal.reason ? `no answer within ${timeoutMs} ms` : wordsOf(error).message;
      throw new PublishError(codeOf(error), this.name, message, { cause: error });
    }
  }
}

interface Words {
  readonly name: string;
  readonly message: string;
  readonly status?: number | undefined;
}

function wordsOf(error: unknown): Words {
  if (!(error instanceof Error)) return { name: "", message: String(error) };
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return { name: error.name, message: `${error.name}: ${error.message}`, status: $metadata?.httpStatusCode };
}

/** `TimeoutError` is the SDK's and the signal's; the SDK calls it `AbortError` where the signal ended a request. */
const timeouts = new Set(["TimeoutError", "AbortError"]);

function codeOf(error: unknown): PublishErrorCode {
  const { name, status } = wordsOf(error);
  if (timeouts.has(name)) return "BROKER_TIMEOUT";
  if (name === "ThrottlingException" || status === 429) return "BROKER_THROTTLED";
  return status !== undefined && status >= 400 && status < 500 ? "BROKER_REFUSED" : "BROKER_UNREACHABLE";
}
