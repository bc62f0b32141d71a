import { RemovalPolicy } from "aws-cdk-lib";
import {
  type Attribute,
  AttributeType,
  BillingMode,
  ProjectionType,
  Table,
  type TableProps,
} from "aws-cdk-lib/aws-dynamodb";
import { Construct } from "constructs";
import { resourceNames } from "../scheme/resource-names.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { hasLease, keepsMessages } from "./scheme-needs.ts";
import type { TrestleFunction } from "./trestle-function.ts";

/** A function's part in the permissions. */
type Allowed = Pick<TrestleFunction<never>, "allow">;

/** The tables. Those with what nobody else has, dead letters and kept messages, outlive the stack. */
export class Stores extends Construct {
  readonly deliveries: Table;
  readonly deadLetters: Table;
  /** Undefined where no route keeps its messages. */
  readonly messages: Table | undefined;
  readonly #hasLease: boolean;

  constructor(scope: Construct, id: string, scheme: Scheme) {
    super(scope, id);
    const names = resourceNames(scheme);
    this.#hasLease = hasLease(scheme);
    this.deliveries = this.#addTable("Deliveries", { tableName: names.deliveriesTable, partitionKey: text("id") });
    this.deadLetters = this.#addTable("DeadLetters", {
      tableName: names.deadLettersTable,
      partitionKey: text("id"),
      ...outlivesStack,
    });
    this.deadLetters.addGlobalSecondaryIndex({
      indexName: "byRoute",
      partitionKey: text("route"),
      sortKey: { name: "at", type: AttributeType.NUMBER },
      projectionType: ProjectionType.ALL,
    });
    this.messages = keepsMessages(scheme)
      ? this.#addTable("Messages", {
          tableName: names.messagesTable,
          partitionKey: text("deviceId"),
          sortKey: text("position"),
          ...outlivesStack,
        })
      : undefined;
  }

  /** Lets a function attempt messages: read and write their histories, and the states of routes. */
  allowAttempts(attempting: Allowed): void {
    attempting.allow(
      ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"],
      [this.deliveries.tableArn],
    );
  }

  /** Lets a function do what `forward` does beside: keep messages, end them as dead letters, hold leases. */
  allowForwarding(forward: Allowed): void {
    this.allowAttempts(forward);
    this.allowDeadLetters(forward);
    if (this.messages !== undefined) forward.allow(["dynamodb:BatchWriteItem"], [this.messages.tableArn]);
    // The rest of what Powertools needs for idempotency.
    if (this.#hasLease) forward.allow(["dynamodb:DeleteItem", "dynamodb:PutItem"], [this.deliveries.tableArn]);
  }

  allowDeadLetters(recording: Allowed): void {
    recording.allow(["dynamodb:BatchWriteItem"], [this.deadLetters.tableArn]);
  }

  allowReadingAttempts(reading: Allowed): void {
    reading.allow(["dynamodb:BatchGetItem"], [this.deliveries.tableArn]);
  }

  #addTable(id: string, props: TableProps): Table {
    return new Table(this, id, {
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: "expiresAt",
      removalPolicy: RemovalPolicy.DESTROY,
      ...props,
    });
  }
}

const outlivesStack = {
  removalPolicy: RemovalPolicy.RETAIN,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
} as const;

function text(name: string): Attribute {
  return { name, type: AttributeType.STRING };
}
