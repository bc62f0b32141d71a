import { EngineError } from "../engine-error.ts";
import type { QueuePlan, ReadingContext } from "./plan.ts";
import { noEffect, type Properties, type PropertyTable, performed } from "./properties.ts";

export const queueProperties: PropertyTable = {
  MaximumMessageSize: performed,
  MessageRetentionPeriod: performed,
  QueueName: performed,
  RedriveAllowPolicy: noEffect("says who may use a dead-letter queue"),
  RedrivePolicy: performed,
  SqsManagedSseEnabled: noEffect("encryption at rest is the disk's"),
  Tags: noEffect("are for people and bills"),
  VisibilityTimeout: performed,
};

const redriveProperties: PropertyTable = { deadLetterTargetArn: performed, maxReceiveCount: performed };

const secondsPerDay = 86_400;

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sqs-queue.html for the defaults */
export function readQueue({ logicalId, properties, identity }: ReadingContext): QueuePlan {
  const redrive = properties.optionalChild("RedrivePolicy", redriveProperties);
  return {
    logicalId,
    name: identity.name,
    arn: identity.attributes.Arn ?? "",
    url: identity.ref,
    visibilityTimeoutMs: 1000 * (properties.optionalNumber("VisibilityTimeout", 0, 43_200) ?? 30),
    retentionMs:
      1000 * (properties.optionalNumber("MessageRetentionPeriod", 60, 14 * secondsPerDay) ?? 4 * secondsPerDay),
    maximumMessageBytes: properties.optionalNumber("MaximumMessageSize", 1024, 1_048_576) ?? 1_048_576,
    redrive: redrive && {
      toArn: redrive.text("deadLetterTargetArn"),
      maxReceiveCount: redrive.optionalNumber("maxReceiveCount", 1, 1000) ?? missing(redrive),
    },
  };
}

function missing(redrive: Properties): never {
  throw new EngineError("ERR_PROPERTY_INVALID", `${redrive.at} has no maxReceiveCount`);
}
