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
import { hasLease, keepsMessages, publishes } from "./scheme-needs.ts";
import type { TrestleFunction } from "./trestle-function.ts";

/** A function's part in the permissions. */
type Allowed = Pick<TrestleFunction<never>, "allow">;

/** The tables. Those with what nobody else has, dead letters, kept messages and commands, outlive the stack. */
export class Stores extends Construct {
  readonly deliveries: Table;
  readonly deadLetters: Table;
  /** Undefined where no route keeps its messages. */
  readonly messages: Table | undefined;
  /** Undefined where there is nothing to publish. */
  readonly commands: Table | undefined;
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
    this.commands = publishes(scheme) ? this.#addCommands(names.commandsTable) : undefined;
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

  /** Lets a function record dead letters that come in parts, too. */
  allowLetterParts(recording: Allowed): void {
    recording.allow(["dynamodb:UpdateItem"], [this.deadLetters.tableArn]);
  }

  allowReadingAttempts(reading: Allowed): void {
    reading.allow(["dynamodb:BatchGetItem"], [this.deliveries.tableArn]);
  }

  /** Lets a function publish commands: write down what became of them, of devices' states and of brokers. */
  allowPublishing(publishing: Allowed): void {
    if (this.commands === undefined) return;
    publishing.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [this.commands.tableArn]);
    this.#allowQuery(publishing, this.commands, byDevice);
  }

  /** Lets a function record new commands, too. */
  allowRecording(recording: Allowed): void {
    if (this.commands !== undefined) recording.allow(["dynamodb:PutItem"], [this.commands.tableArn]);
  }

  /** Lets a function find what is due, and the states of all devices. */
  allowSweeping(sweeping: Allowed): void {
    if (this.commands !== undefined) sweeping.allow(["dynamodb:Scan"], [this.commands.tableArn]);
    this.allowReadingDueCommands(sweeping);
  }

  /** Lets a function write devices' answers to their commands. */
  allowReplies(recording: Allowed): void {
    if (this.commands === undefined) return;
    recording.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [this.commands.tableArn]);
  }

  /** Lets a function see what devices have not answered yet. */
  allowReadingDueCommands(reading: Allowed): void {
    if (this.commands !== undefined) this.#allowQuery(reading, this.commands, byDue);
  }

  #allowQuery(reading: Allowed, { tableArn }: Table, ...indexes: readonly string[]): void {
    reading.allow(
      ["dynamodb:Query"],
      indexes.map((name) => `${tableArn}/index/${name}`),
    );
  }

  #addCommands(tableName: string): Table {
    const table = this.#addTable("Commands", { tableName, partitionKey: text("id"), ...outlivesStack });
    table.addGlobalSecondaryIndex({
      indexName: byDevice,
      partitionKey: text("deviceId"),
      sortKey: text("id"),
      projectionType: ProjectionType.ALL,
    });
    table.addGlobalSecondaryIndex({
      indexName: byDue,
      partitionKey: text("due"),
      sortKey: { name: "dueAt", type: AttributeType.NUMBER },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ["deviceId", "kind", "state"],
    });
    return table;
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

/** Indexes of the commands' table: a device's commands in the order of their times, and what is to be looked at when. */
const byDevice = "byDevice";
const byDue = "byDue";

function text(name: string): Attribute {
  return { name, type: AttributeType.STRING };
}
