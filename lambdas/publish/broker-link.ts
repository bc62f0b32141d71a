import type { Client } from "../../client/client.ts";
import { unlessAborted } from "./turns.ts";

/** How long a broker that was silent may take to answer a ping before another connection is opened. */
const answerMs = 1_000;

interface Connection {
  readonly client: Promise<Client>;
  opened: Client | undefined;
  /** Callers that wait for it to be opened. */
  waiting: number;
  /** Under way, for all who want to know. */
  check: Promise<boolean> | undefined;
}

/**
 * The one connection that all calls of a process share: opened when it is first wanted, and given up for a new one when
 * it is no good. Nothing is done in between: a function is frozen then, and would miss what it waits for.
 */
export class BrokerLink implements AsyncDisposable {
  readonly #open: () => Promise<Client>;
  #connection: Connection | undefined;

  constructor(open: () => Promise<Client>) {
    this.#open = open;
  }

  /** A client that has just been heard of. Those who asked at the same time get it in the order in which they asked. */
  async get(signal: AbortSignal): Promise<Client> {
    for (;;) {
      this.#connection ??= this.#begin();
      const connection = this.#connection;
      const client = await this.#opened(connection, signal);
      connection.check ??= isAlive(client).finally(() => {
        connection.check = undefined;
      });
      if (await unlessAborted(connection.check, signal)) return client;
      void this.#drop(connection);
    }
  }

  /** The next caller gets another one. What others have under way on this one ends. */
  discard(client: Client): void {
    if (this.#connection?.opened === client) void this.#drop(this.#connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#connection !== undefined) await this.#drop(this.#connection);
  }

  #begin(): Connection {
    const connection: Connection = { client: this.#open(), opened: undefined, waiting: 0, check: undefined };
    connection.client.then(
      (client) => {
        connection.opened = client;
      },
      () => this.#forget(connection),
    );
    return connection;
  }

  async #opened(connection: Connection, signal: AbortSignal): Promise<Client> {
    connection.waiting += 1;
    try {
      return await unlessAborted(connection.client, signal);
    } catch (error) {
      // Nobody wants it any more: whoever comes next is not to wait for what these have waited for in vain.
      if (connection.waiting === 1) void this.#drop(connection);
      throw error;
    } finally {
      connection.waiting -= 1;
    }
  }

  #forget(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  async #drop(connection: Connection): Promise<void> {
    this.#forget(connection);
    const client = await connection.client.catch(() => undefined);
    await client?.[Symbol.asyncDispose]();
  }
}

async function isAlive(client: Client): Promise<boolean> {
  return client.isConnected && (await client.checkAlive({ withinMs: answerMs }));
}
