import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Item } from "./batch.ts";

export interface ItemUpdate {
  readonly key: Item;
  /** Attributes and their new values; those that are undefined stay as they are. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** Attributes and expressions of their new values, in which `#name` is an attribute and `:name` one of `values`. */
  readonly compute?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  /** What has to hold, in the same spelling; nothing by default. */
  readonly condition?: string;
  /** Of the expressions, beside those of `set`. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/**
 * Changes an item, or makes it, and gives all of it afterwards; undefined where the condition does not hold.
 *
 * Every attribute has a substitute in the expressions, since DynamoDB has hundreds of reserved words.
 */
export async function updateItem(
  client: DynamoDBDocumentClient,
  table: string,
  update: ItemUpdate,
): Promise<Item | undefined> {
  const { key, compute = {}, remove = [], condition, values = {} } = update;
  const set = Object.entries(update.set ?? {}).filter(([, value]) => value !== undefined);
  const substitutes = new Substitutes();
  const sets = [
    ...set.map(([name], index) => `${substitutes.name(name)} = :set${index}`),
    ...Object.entries(compute).map(([name, expression]) => `${substitutes.name(name)} = ${substitutes.in(expression)}`),
  ];
  const removals = remove.map((name) => substitutes.name(name));
  const clauses = [
    ...(sets.length === 0 ? [] : [`SET ${sets.join(", ")}`]),
    ...(removals.length === 0 ? [] : [`REMOVE ${removals.join(", ")}`]),
  ];
  const given = Object.fromEntries([
    ...set.map(([, value], index) => [`:set${index}`, value]),
    ...Object.entries(values).map(([name, value]) => [`:${name}`, value]),
  ]);
  const command = new UpdateCommand({
    TableName: table,
    Key: key,
    UpdateExpression: clauses.join(" "),
    ...(condition === undefined ? {} : { ConditionExpression: substitutes.in(condition) }),
    ExpressionAttributeNames: substitutes.names,
    ...(Object.keys(given).length === 0 ? {} : { ExpressionAttributeValues: given }),
    ReturnValues: "ALL_NEW",
  });
  try {
    return (await client.send(command)).Attributes ?? {};
  } catch (error) {
    // By name: `instanceof` would load the SDK's class for it.
    if (error instanceof Error && error.name === "ConditionalCheckFailedException") return undefined;
    throw error;
  }
}

/** Stands for attributes by numbers: names may hold characters that an expression cannot. */
class Substitutes {
  readonly names: Record<string, string> = {};
  readonly #numbers = new Map<string, string>();

  name(attribute: string): string {
    const known = this.#numbers.get(attribute);
    if (known !== undefined) return known;
    const substitute = `#n${this.#numbers.size}`;
    this.#numbers.set(attribute, substitute);
    this.names[substitute] = attribute;
    return substitute;
  }

  in(expression: string): string {
    return expression.replaceAll(/#(\w+)/g, (_, attribute: string) => this.name(attribute));
  }
}
