import { setTimeout as sleep } from "node:timers/promises";
import type { TablePlan } from "../template/plan.ts";
import { type CallDynamoDb, DynamoDbError } from "./dynamodb-server.ts";

/** Items that are read at one time; dynalite stops at 1 MB, too. */
const pageItems = 100;

/** Between two pages everybody else has the thread: a page takes about 10 ms at the most. */
const pauseMs = 20;

/**
 * Removes the items of a table whose time is over, as DynamoDB does within days of it, and tells how many. It reads the
 * whole table, in small pages.
 *
 * @param now Seconds since 1970.
 */
export async function sweepTable(call: CallDynamoDb, table: TablePlan, now: number): Promise<number> {
  const { name: TableName, key, timeToLiveAttribute } = table;
  if (timeToLiveAttribute === undefined) return 0;
  const condition = { ":now": { N: String(now) } };
  const keyNames = [key.partition, ...(key.sort === undefined ? [] : [key.sort])];
  const substitutes = Object.fromEntries(keyNames.map((keyName, index) => [`#key${index}`, keyName]));
  let removed = 0;
  let ExclusiveStartKey: unknown;
  do {
    const page = await call("Scan", {
      TableName,
      Limit: pageItems,
      ProjectionExpression: Object.keys(substitutes).join(", "),
      FilterExpression: "#end <= :now",
      ExpressionAttributeNames: { ...substitutes, "#end": timeToLiveAttribute },
      ExpressionAttributeValues: condition,
      ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
    });
    for (const Key of page.Items as object[]) {
      // It may have been written anew since it was read.
      const isRemoved = await remove(call, {
        TableName,
        Key,
        ConditionExpression: "#end <= :now",
        ExpressionAttributeNames: { "#end": timeToLiveAttribute },
        ExpressionAttributeValues: condition,
      });
      if (isRemoved) removed += 1;
    }
    ExclusiveStartKey = page.LastEvaluatedKey;
    await sleep(pauseMs);
  } while (ExclusiveStartKey !== undefined);
  return removed;
}

async function remove(call: CallDynamoDb, deletion: object): Promise<boolean> {
  try {
    await call("DeleteItem", deletion);
    return true;
  } catch (error) {
    if (error instanceof DynamoDbError && error.type === "ConditionalCheckFailedException") return false;
    throw error;
  }
}
