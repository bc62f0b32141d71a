import { Duration } from "aws-cdk-lib";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

/** As long as SQS can keep a message. */
export const queueRetention = Duration.days(14);

/** The one queue of dead letters: what the routes' queues gave up on, and what the topic rules' error actions say. */
export class DeadLetterQueue extends Queue {
  constructor(scope: Construct, id: string) {
    super(scope, id, { retentionPeriod: queueRetention, encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true });
  }
}
