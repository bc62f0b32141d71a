import { Duration } from "aws-cdk-lib";
import { Queue, QueueEncryption, type QueueProps } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

export interface TrestleQueueProps
  extends Pick<QueueProps, "visibilityTimeout" | "deadLetterQueue" | "retentionPeriod"> {
  /** From `resourceNames`, by which commands find it. */
  readonly queueName: string;
}

/** A queue that is encrypted, spoken to by TLS alone, and keeps messages as long as SQS can: 14 days from their sending. */
export class TrestleQueue extends Queue {
  constructor(scope: Construct, id: string, props: TrestleQueueProps) {
    super(scope, id, {
      retentionPeriod: Duration.days(14),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      ...props,
    });
  }
}
