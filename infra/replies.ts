import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import type { ReplyEnvironment } from "../lambdas/reply/environment.ts";
import { repliesSource } from "../scheme/ingest.ts";
import { resourceNames } from "../scheme/resource-names.ts";
import type { Commands, Scheme } from "../scheme/scheme.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Stores } from "./stores.ts";
import { replySeconds, visibilityTimeout } from "./time-limits.ts";
import { selectionOf, sendingRole, sqsAction, TopicRule } from "./topic-rule.ts";
import { TrestleFunction } from "./trestle-function.ts";
import { TrestleQueue } from "./trestle-queue.ts";

/** A reply that cannot be recorded so often, over 20 minutes, is a dead letter. */
const receives = 5;

/** Batches of 10 at one time. Writing down a reply takes some 10 ms: thousands in a second. */
const invocations = 10;

export interface RepliesProps {
  readonly scheme: Scheme;
  readonly configFile: string;
  readonly commands: Commands;
  readonly stores: Stores;
  readonly deadLetters: DeadLetters;
}

/** The way of devices' answers into the ledger of commands: topic rule, queue, function. */
export class Replies extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { scheme, configFile, commands, stores, deadLetters }: RepliesProps) {
    super(scope, id);
    const queue = new TrestleQueue(this, "Queue", {
      queueName: resourceNames(scheme).repliesQueue,
      visibilityTimeout: visibilityTimeout(replySeconds),
      deadLetterQueue: { queue: deadLetters.queue, maxReceiveCount: receives },
    });
    new TopicRule(this, "Rule", {
      selection: selectionOf(repliesSource(commands), "Replies to commands"),
      action: sqsAction(queue, sendingRole(this, "Role", queue)),
      errorAction: deadLetters.errorAction,
    });
    const reply = new TrestleFunction<ReplyEnvironment>(this, "Function", {
      scheme,
      configFile,
      folder: "reply",
      description: "Writes devices' answers to their commands",
      timeoutSeconds: replySeconds,
      environment: {
        COMMANDS_TABLE: stores.commands?.tableName ?? "",
        DEAD_LETTERS_TABLE: stores.deadLetters.tableName,
      },
    });
    this.function = reply;
    stores.allowReplies(reply);
    stores.allowDeadLetters(reply);
    reply.addEventSource(
      new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: invocations }),
    );
  }
}
