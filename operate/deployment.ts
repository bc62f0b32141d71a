import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { AttemptLog } from "../lambdas/store/attempt-log.ts";
import { DeadLetters } from "../lambdas/store/dead-letters.ts";
import { KeptMessages } from "../lambdas/store/kept-messages.ts";
import { translation } from "../lambdas/store/tables.ts";
import { repliesRoute } from "../scheme/ingest.ts";
import { loadScheme } from "../scheme/load-scheme.ts";
import { type ResourceNames, resourceNames } from "../scheme/resource-names.ts";
import type { Scheme } from "../scheme/scheme.ts";
import type { Place } from "./place.ts";
import { findServices } from "./services-file.ts";

/** The tables and queues of a deployment, on AWS or of the engine on this machine. */
export class Deployment implements Disposable {
  readonly scheme: Scheme;
  readonly attemptLog: AttemptLog;
  readonly deadLetters: DeadLetters;
  readonly keptMessages: KeptMessages;
  readonly #names: ResourceNames;
  readonly #dynamo: DynamoDBClient;
  readonly #sqs: SQSClient;
  readonly #queueUrls = new Map<string, Promise<string>>();

  private constructor(scheme: Scheme, environment: Readonly<Record<string, string>> | undefined) {
    const names = resourceNames(scheme);
    this.scheme = scheme;
    this.#names = names;
    this.#dynamo = new DynamoDBClient(clientOptions(environment?.AWS_ENDPOINT_URL_DYNAMODB));
    this.#sqs = new SQSClient({
      ...clientOptions(environment?.AWS_ENDPOINT_URL_SQS),
      // The URLs of queues name AWS's own host, also where another endpoint answers for it.
      useQueueUrlAsEndpoint: false,
    });
    const client = DynamoDBDocumentClient.from(this.#dynamo, translation);
    this.attemptLog = new AttemptLog(client, names.deliveriesTable);
    this.deadLetters = new DeadLetters(client, names.deadLettersTable, scheme.deadLetters.days);
    this.keptMessages = new KeptMessages(client, names.messagesTable);
  }

  /** @throws {SchemeError | OperateError} */
  static async open({ configFile, isAws, dataFolder }: Place): Promise<Deployment> {
    const scheme = await loadScheme(configFile);
    return new Deployment(scheme, isAws ? undefined : (await findServices(dataFolder)).environment);
  }

  /**
   * Puts a message into the queue of its route's retries, where it comes beside the fresh ones, and not before them; a
   * device's reply into the replies' only one.
   */
  async sendAgain(route: string, body: string): Promise<void> {
    const isReply = this.scheme.commands !== undefined && route === repliesRoute;
    const name = isReply ? this.#names.repliesQueue : this.#names.retryQueue(route);
    let url = this.#queueUrls.get(name);
    if (url === undefined) {
      url = this.#sqs.send(new GetQueueUrlCommand({ QueueName: name })).then(({ QueueUrl = "" }) => QueueUrl);
      this.#queueUrls.set(name, url);
    }
    await this.#sqs.send(new SendMessageCommand({ QueueUrl: await url, MessageBody: body }));
  }

  [Symbol.dispose](): void {
    this.#dynamo.destroy();
    this.#sqs.destroy();
  }
}

/** Three attempts of eight seconds, with the SDK's pauses between them: a call is over within half a minute. */
const limits = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
};

/** What the engine's services are told; AWS's own are found as AWS's tools find them. */
function clientOptions(endpoint: string | undefined) {
  if (endpoint === undefined) return limits;
  return { ...limits, endpoint, region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
}
