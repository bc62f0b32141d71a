import type { CfnTopicRule } from "aws-cdk-lib/aws-iot";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import type { DeadLettersEnvironment } from "../lambdas/dead-letters/environment.ts";
import { resourceNames } from "../scheme/resource-names.ts";
import type { Scheme } from "../scheme/scheme.ts";
import type { Stores } from "./stores.ts";
import { recordSeconds, visibilityTimeout } from "./time-limits.ts";
import { sendingRole, sqsAction } from "./topic-rule.ts";
import { TrestleFunction } from "./trestle-function.ts";
import { TrestleQueue } from "./trestle-queue.ts";

export interface DeadLettersProps {
  readonly scheme: Scheme;
  readonly configFile: string;
  readonly stores: Stores;
}

/**
 * What nobody else ends: the messages that a retry queue gave up on, and what the topic rules' error actions say. A
 * function writes it to the table that `forward` writes its own dead letters to.
 */
export class DeadLetters extends Construct {
  /** What cannot be written down stays in it until it is 14 days old. */
  readonly queue: TrestleQueue;
  /** What every topic rule does when its action fails. */
  readonly errorAction: CfnTopicRule.ActionProperty;
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { scheme, configFile, stores }: DeadLettersProps) {
    super(scope, id);
    this.queue = new TrestleQueue(this, "Queue", {
      queueName: resourceNames(scheme).deadLetterQueue,
      visibilityTimeout: visibilityTimeout(recordSeconds),
    });
    this.errorAction = sqsAction(this.queue, sendingRole(this, "ErrorActionRole", this.queue));
    const recorder = new TrestleFunction<DeadLettersEnvironment>(this, "Function", {
      scheme,
      configFile,
      folder: "dead-letters",
      description: "Writes down what arrives in the queue of dead letters",
      timeoutSeconds: recordSeconds,
      environment: {
        DEAD_LETTERS_TABLE: stores.deadLetters.tableName,
        DELIVERIES_TABLE: stores.deliveries.tableName,
      },
    });
    this.function = recorder;
    stores.allowDeadLetters(recorder);
    if (scheme.framesRuleName !== undefined) stores.allowLetterParts(recorder);
    stores.allowReadingAttempts(recorder);
    recorder.addEventSource(
      new SqsEventSource(this.queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 2 }),
    );
  }
}
