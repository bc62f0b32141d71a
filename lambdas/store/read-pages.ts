import { type DynamoDBDocumentClient, paginateQuery, paginateScan } from "@aws-sdk/lib-dynamodb";
import type { Item } from "./batch.ts";
import { timeToLiveAttribute } from "./time-to-live.ts";

export interface ReadPagesOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly index?: string;
  /** What is looked up where its value is known; else the whole table is read. */
  readonly partition: { readonly name: string; readonly value: string | undefined };
  /** The sort key, between two values, both included. */
  readonly sort: { readonly name: string; readonly since: string | number; readonly until: string | number };
  /** Further attributes and what they have to be; undefined for anything. */
  readonly equal: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Reads what is selected and not expired, page by page: in the order of the sort key where the partition is known. */
export async function* readPages(options: ReadPagesOptions): AsyncGenerator<Item, void, undefined> {
  const { client, table, index, partition, sort, now } = options;
  const expression = new Expression();
  const filters = [`${expression.name(timeToLiveAttribute)} > ${expression.value(Math.floor(now / 1000))}`];
  for (const [name, value] of Object.entries(options.equal)) {
    if (value !== undefined) filters.push(expression.equal(name, value));
  }
  const inRange = expression.between(sort.name, sort.since, sort.until);
  const isQuery = partition.value !== undefined;
  const input = { TableName: table, ...expression.attributes };
  const pages = isQuery
    ? paginateQuery(
        { client },
        {
          ...input,
          ...(index === undefined ? {} : { IndexName: index }),
          KeyConditionExpression: all([expression.equal(partition.name, partition.value), inRange]),
          FilterExpression: all(filters),
        },
      )
    : paginateScan({ client }, { ...input, FilterExpression: all([...filters, inRange]) });
  for await (const { Items = [] } of pages) yield* Items;
}

/** Names and values of an expression; every name has a substitute, since DynamoDB has hundreds of reserved words. */
class Expression {
  readonly attributes = {
    ExpressionAttributeNames: {} as Record<string, string>,
    ExpressionAttributeValues: {} as Record<string, string | number>,
  };

  name(name: string): string {
    this.attributes.ExpressionAttributeNames[`#${name}`] = name;
    return `#${name}`;
  }

  value(value: string | number): string {
    const values = this.attributes.ExpressionAttributeValues;
    const substitute = `:v${Object.keys(values).length}`;
    values[substitute] = value;
    return substitute;
  }

  equal(name: string, value: string): string {
    return `${this.name(name)} = ${this.value(value)}`;
  }

  between(name: string, since: string | number, until: string | number): string {
    return `${this.name(name)} BETWEEN ${this.value(since)} AND ${this.value(until)}`;
  }
}

function all(conditions: readonly string[]): string {
  return conditions.join(" AND ");
}
