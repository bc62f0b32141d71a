import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { updateItem } from "./update-item.ts";

/** How far a broker has been brought up to date with all devices. */
export interface BrokerMark {
  /** What its marker says when it is done; another marker, or none, is a broker that is new or has lost what it had. */
  readonly generation: string | undefined;
}

/** One item for each broker. */
export class BrokerMarks {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async get(broker: string): Promise<BrokerMark> {
    const command = new GetCommand({ TableName: this.#table, Key: keyOf(broker), ConsistentRead: true });
    const generation = (await this.#client.send(command)).Item?.generation;
    return { generation: typeof generation === "string" ? generation : undefined };
  }

  async set(broker: string, generation: string): Promise<void> {
    await updateItem(this.#client, this.#table, { key: keyOf(broker), set: { generation } });
  }
}

function keyOf(broker: string) {
  return { id: `broker#${broker}` };
}
