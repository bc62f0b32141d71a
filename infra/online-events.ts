import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { RequestEnvironment } from "../lambdas/forward/environment.ts";
import type { Stores } from "./stores.ts";
import type { TrestleFunction } from "./trestle-function.ts";

/** By what a function tells that a device is online which has requests to answer. */
export interface OnlineEvents {
  readonly stores: Stores;
  /** The ledger of commands. */
  readonly table: Table;
  /** Wakes the function `sweep`. */
  readonly queue: IQueue;
}

/** The variables of a function that tells it; empty where it does not. */
export function onlineEnvironment(
  events: OnlineEvents | undefined,
): Pick<RequestEnvironment, "COMMANDS_TABLE" | "ONLINE_QUEUE_URL"> {
  return { COMMANDS_TABLE: events?.table.tableName ?? "", ONLINE_QUEUE_URL: events?.queue.queueUrl ?? "" };
}

/** Lets a function tell it. */
export function allowOnlineEvents(telling: TrestleFunction<never>, events: OnlineEvents | undefined): void {
  if (events === undefined) return;
  events.stores.allowReadingDueCommands(telling);
  telling.allow(["sqs:SendMessage"], [events.queue.queueArn]);
}
