import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/** How the tables' clients translate items: a member that is undefined is no attribute. */
export const translation = { marshallOptions: { removeUndefinedValues: true } } as const;

let client: DynamoDBClient | undefined;
let translating: DynamoDBDocumentClient | undefined;

/**
 * The process's client for the tables. It gives up after seven seconds at the most: three attempts of two seconds, with
 * the SDK's pauses between them.
 */
export function dynamoDbClient(): DynamoDBClient {
  client ??= new DynamoDBClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
  return client;
}

/** The same client, for items in JavaScript's own types. */
export function documentClient(): DynamoDBDocumentClient {
  translating ??= DynamoDBDocumentClient.from(dynamoDbClient(), translation);
  return translating;
}
