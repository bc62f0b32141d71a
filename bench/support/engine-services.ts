import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";

/** What a running engine tells of itself, as commands learn it. */
export class EngineServices implements Disposable {
  readonly #sqs: SQSClient;
  readonly #ledgerUrl: string;

  private constructor({
    environment,
    ledgerUrl,
  }: { environment: Readonly<Record<string, string>>; ledgerUrl: string }) {
    this.#ledgerUrl = ledgerUrl;
    this.#sqs = new SQSClient({
      endpoint: environment.AWS_ENDPOINT_URL_SQS ?? "",
      useQueueUrlAsEndpoint: false,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
  }

  /** @param dataFolder The engine's, once it runs. */
  static of(dataFolder: string): EngineServices {
    return new EngineServices(JSON.parse(readFileSync(join(dataFolder, "services.json"), "utf8")));
  }

  /** Lines of the ledger, one for each topic rule. */
  async ledger(): Promise<readonly Readonly<Record<string, number>>[]> {
    return (await (await fetch(this.#ledgerUrl)).json()) as Readonly<Record<string, number>>[];
  }

  /** Messages in a queue that could be received now, and those that somebody has or that wait for their time. */
  async queue(QueueName: string): Promise<{ readonly visible: number; readonly invisible: number }> {
    const { QueueUrl } = await this.#sqs.send(new GetQueueUrlCommand({ QueueName }));
    const { Attributes = {} } = await this.#sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
    );
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages),
      invisible: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
    };
  }

  /** Waits until a queue has so many messages, whoever has them. */
  async untilQueueHas(name: string, isEnough: (messages: number) => boolean, patienceMs: number): Promise<number> {
    for (const endsAt = performance.now() + patienceMs; ; await delay(250)) {
      const { visible, invisible } = await this.queue(name);
      if (isEnough(visible + invisible)) return visible + invisible;
      if (performance.now() > endsAt) throw new Error(`queue ${name} has ${visible} + ${invisible} messages`);
    }
  }

  [Symbol.dispose](): void {
    this.#sqs.destroy();
  }
}
