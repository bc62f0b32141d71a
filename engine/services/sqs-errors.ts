import { ServiceError } from "./service-endpoint.ts";

/** Errors by their names, each with its type in AWS's JSON protocol and the code that it has in a batch's answer. */
const names = {
  BatchEntryIdsNotDistinct: [
    "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
    "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
  ],
  BatchRequestTooLong: ["com.amazonaws.sqs#BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"],
  EmptyBatchRequest: ["com.amazonaws.sqs#EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"],
  InvalidAttributeName: ["com.amazonaws.sqs#InvalidAttributeName", "InvalidAttributeName"],
  InvalidBatchEntryId: ["com.amazonaws.sqs#InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"],
  InvalidMessageContents: ["com.amazonaws.sqs#InvalidMessageContents", "InvalidMessageContents"],
  InvalidParameterValue: ["com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue"],
  MissingParameter: ["com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter"],
  QueueDoesNotExist: ["com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"],
  ReceiptHandleIsInvalid: ["com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"],
  TooManyEntriesInBatchRequest: [
    "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
    "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
  ],
  UnsupportedOperation: ["com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"],
} as const;

export type SqsErrorName = keyof typeof names;

export function sqsError(name: SqsErrorName, message: string): ServiceError {
  return new ServiceError(name, message);
}

export function invalidValue(value: unknown, parameter: string, reason: string): ServiceError {
  return sqsError("InvalidParameterValue", `Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`);
}

/** What a queue refuses begins with the error's name: `InvalidParameterValue: …`. */
export async function inSqsWords<T>(perform: () => T | Promise<T>): Promise<T> {
  try {
    return await perform();
  } catch (error) {
    const [, name = "", message = ""] = /^(\w+): (.*)$/s.exec(error instanceof Error ? error.message : "") ?? [];
    throw Object.hasOwn(names, name) ? sqsError(name as SqsErrorName, message) : error;
  }
}

/**
 * An error's type on the wire, and its code in the header by which clients know it since before there was JSON.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html, "x-amzn-query-error"
 */
export function onTheWire({ type, status }: ServiceError): { readonly type: string; readonly code: string } {
  const [wireType, code] = Object.hasOwn(names, type) ? names[type as SqsErrorName] : [type, type];
  return { type: wireType, code: `${code};${status < 500 ? "Sender" : "Receiver"}` };
}

/** The error of one entry of a batch. */
export function inBatch(id: string, { type, message, status }: ServiceError) {
  const [, Code] = Object.hasOwn(names, type) ? names[type as SqsErrorName] : [type, type];
  return { Id: id, Code, Message: message, SenderFault: status < 500 };
}
