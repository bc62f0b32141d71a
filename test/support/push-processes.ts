import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { onTestFinished } from "vitest";
import { eventOf, type TestRequest } from "../../lambdas/push/testing.ts";
import type { TestTables } from "../../lambdas/store/testing.ts";
import type { PushAnswer, PushCall, PushProcessOptions } from "./push-process.ts";

/** A process of the push endpoint, which ends with the test. */
export class PushProcess {
  readonly process: ChildProcess;
  /** The signal that ended it; null where it ended by itself. */
  readonly ended: Promise<NodeJS.Signals | null>;
  readonly #calls = new Map<number, (answer: APIGatewayProxyStructuredResultV2) => void>();
  #next = 0;

  private constructor(process: ChildProcess) {
    this.process = process;
    this.ended = once(process, "exit").then(([, signal]) => signal);
    process.on("message", ({ number, answer }: PushAnswer) => this.#calls.get(number)?.(answer));
  }

  static async start(tables: TestTables, options: Omit<PushProcessOptions, "table">): Promise<PushProcess> {
    const env = {
      ...process.env,
      ...{ AWS_ENDPOINT_URL_DYNAMODB: tables.endpoint, AWS_REGION: "us-east-1" },
      ...{ AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    };
    const argument = JSON.stringify({ ...options, table: tables.commands } satisfies PushProcessOptions);
    const child = fork(new URL("push-process.ts", import.meta.url), [argument], { env });
    const started = new PushProcess(child);
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await started.ended;
    });
    await once(child, "message");
    return started;
  }

  /** The endpoint's answer, undefined where the process ends instead. */
  async ask(request: TestRequest): Promise<PushedAnswer | undefined> {
    const number = this.#next++;
    const { promise, resolve } = Promise.withResolvers<APIGatewayProxyStructuredResultV2>();
    this.#calls.set(number, resolve);
    this.process.send({ number, event: eventOf(request) } satisfies PushCall);
    const answer = await Promise.race([promise, this.ended.then(() => undefined)]);
    return answer && { status: answer.statusCode ?? 0, json: JSON.parse(answer.body ?? "null") };
  }
}

export interface PushedAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it has asked for.
  readonly json: any;
}
