import { setImmediate as nextTurn } from "node:timers/promises";
import { EngineError } from "../engine-error.ts";
import type { TableIndexPlan, TableKeyPlan, TablePlan } from "../template/plan.ts";
import { type CallDynamoDb, DynamoDbError } from "./dynamodb-server.ts";

/** A table or an index as DynamoDB describes it. */
interface Description {
  readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: string }[];
}

interface TableDescription extends Description {
  readonly TableStatus: string;
  readonly AttributeDefinitions: readonly { readonly AttributeName: string; readonly AttributeType: string }[];
  readonly GlobalSecondaryIndexes?: readonly (Description & {
    readonly IndexName: string;
    readonly Projection: { readonly ProjectionType: string; readonly NonKeyAttributes?: readonly string[] };
  })[];
}

/** How long a table may take to be there; it takes a few milliseconds. */
const creationMs = 5_000;

/**
 * Makes the tables that are not there.
 *
 * @throws {EngineError} `ERR_TABLE_CHANGED` where one is there with other keys or indexes: DynamoDB, too, cannot give a
 * table another key, and CloudFormation would make another table for it.
 */
export async function makeTables(call: CallDynamoDb, tables: readonly TablePlan[], folder: string): Promise<void> {
  for (const table of tables) {
    let description = await describe(call, table.name);
    if (description === undefined) {
      await call("CreateTable", creationOf(table));
      description = await active(call, table, folder);
    }
    if (description.TableStatus !== "ACTIVE") description = await active(call, table, folder);
    check(table, description, folder);
  }
}

async function describe(call: CallDynamoDb, name: string): Promise<TableDescription | undefined> {
  try {
    const { Table } = await call("DescribeTable", { TableName: name });
    return Table as TableDescription;
  } catch (error) {
    if (error instanceof DynamoDbError && error.type === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

async function active(call: CallDynamoDb, { logicalId, name }: TablePlan, folder: string): Promise<TableDescription> {
  for (const end = performance.now() + creationMs; performance.now() < end; await nextTurn()) {
    const description = await describe(call, name);
    if (description?.TableStatus === "ACTIVE") return description;
  }
  // Of a process that ended in the milliseconds between.
  const message = `table ${name} (${logicalId}) in ${folder} was begun and never made; remove that folder`;
  throw new EngineError("ERR_TABLE_CHANGED", message);
}

function creationOf({ name, attributes, key, indexes }: TablePlan): object {
  const creation = {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [...attributes].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    KeySchema: keySchemaOf(key),
  };
  if (indexes.length === 0) return creation;
  const GlobalSecondaryIndexes = indexes.map((index) => ({
    IndexName: index.name,
    KeySchema: keySchemaOf(index.key),
    Projection: projectionOf(index),
  }));
  return { ...creation, GlobalSecondaryIndexes };
}

function keySchemaOf({ partition, sort }: TableKeyPlan): Description["KeySchema"] {
  const hash = { AttributeName: partition, KeyType: "HASH" };
  return sort === undefined ? [hash] : [hash, { AttributeName: sort, KeyType: "RANGE" }];
}

function projectionOf({ projection, includedAttributes }: TableIndexPlan): object {
  return projection === "INCLUDE"
    ? { ProjectionType: projection, NonKeyAttributes: includedAttributes }
    : { ProjectionType: projection };
}

function check(table: TablePlan, found: TableDescription, folder: string): void {
  const types = new Map(
    found.AttributeDefinitions.map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]),
  );
  const wanted = shapeOf(table, table.attributes);
  const there = shapeOf(planOf(found), types);
  if (wanted === there) return;
  const message = `table ${table.name} (${table.logicalId}) in ${folder} has ${there}, and the template wants ${wanted}; \
name the table otherwise, or remove that folder`;
  throw new EngineError("ERR_TABLE_CHANGED", message);
}

function planOf({ KeySchema, GlobalSecondaryIndexes = [] }: TableDescription): Pick<TablePlan, "key" | "indexes"> {
  return {
    key: keyOf(KeySchema),
    indexes: GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) => ({
      name: IndexName,
      key: keyOf(KeySchema),
      projection: Projection.ProjectionType as TableIndexPlan["projection"],
      includedAttributes: Projection.NonKeyAttributes ?? [],
    })),
  };
}

function keyOf(schema: Description["KeySchema"]): TableKeyPlan {
  const named = (type: string) => schema.find(({ KeyType }) => KeyType === type)?.AttributeName;
  return { partition: named("HASH") ?? "", sort: named("RANGE") };
}

/** Keys and indexes in one line. */
function shapeOf({ key, indexes }: Pick<TablePlan, "key" | "indexes">, types: ReadonlyMap<string, string>): string {
  const typed = (name: string) => `${name} (${types.get(name)})`;
  const keyText = ({ partition, sort }: TableKeyPlan) => [partition, ...(sort ? [sort] : [])].map(typed).join(" and ");
  const indexTexts = indexes.map(
    (index) =>
      `index ${index.name} by ${keyText(index.key)} with ${[index.projection, ...index.includedAttributes].join(" ")}`,
  );
  return [`key ${keyText(key)}`, ...indexTexts.sort()].join(", ");
}
