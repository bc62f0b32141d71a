import { randomBytes } from "node:crypto";
import { defaultReconnectDelay, reconnectDelayMs, stableMs } from "./backoff.ts";
import { type BrokerUrl, readBrokerUrl } from "./broker-url.ts";
import { ClientError } from "./client-error.ts";
import type { ClientOptions } from "./client-options.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";

export interface LinkHandlers {
  take: ConnectionOptions["take"];
  /** A connection is there; resolves when everything is subscribed to again. */
  up(connection: Connection): Promise<void>;
  down(reason: ClientError): void;
  /** No connection will be made any more. */
  ended(reason: ClientError): void;
}

/** "Unsupported protocol version" of MQTT 5, "unacceptable protocol version" of MQTT 3.1.1. */
const wrongVersionCodes: ReadonlySet<number | undefined> = new Set([0x84, 0x01]);

/** Another client has this client's id: to come back would end that one's connection, which would come back in turn. */
const sessionTakenOver = 0x8e;

const defaultConnectTimeoutMs = 5_000;

/** The wait before an attempt that somebody is in a hurry for. */
const hurriedMs = 50;

/** Sees to it that there is a connection: one at a time. */
export class Link {
  readonly clientId: string;
  readonly #broker: BrokerUrl;
  readonly #options: ClientOptions;
  readonly #handlers: LinkHandlers;
  #protocolVersion: 4 | 5;
  #connection: Connection | undefined;
  #isClosing = false;
  /** Whether somebody cannot wait for the next attempt. */
  #isHurried = false;
  #shortenPause: () => void = () => {};

  /** @throws {ClientError} `CLIENT_INVALID` */
  constructor(url: string, options: ClientOptions, handlers: LinkHandlers) {
    this.#broker = readBrokerUrl(url);
    this.#options = options;
    this.#handlers = handlers;
    // 23 characters, as many as a broker with MQTT 3.1.1 has to take (§3.1.3.1).
    this.clientId = options.clientId ?? `trestle${randomBytes(8).toString("hex")}`;
    this.#protocolVersion = options.protocolVersion ?? 5;
  }

  get address(): string {
    return this.#broker.address;
  }

  get protocolVersion(): 4 | 5 {
    return this.#protocolVersion;
  }

  /** The first connection, after which lost ones are made again. @throws {ClientError} */
  async open(): Promise<void> {
    const connection = await this.#connect();
    await this.#begin(connection);
    void this.#keep(connection);
  }

  /** Whether the broker answers a ping; false where there is no connection. */
  async ping(withinMs: number): Promise<boolean> {
    return (await this.#connection?.ping(withinMs)) ?? false;
  }

  async checkAlive(withinMs: number): Promise<boolean> {
    const connection = this.#connection;
    if (connection === undefined) {
      this.#hurry();
      return false;
    }
    const silentMs = Date.now() - connection.lastHeardAt;
    // A clock that was set back says nothing.
    if (silentMs >= 0 && silentMs <= (connection.keepAliveSeconds * 1_000) / 2) return true;
    if (await connection.ping(withinMs)) return true;
    this.#hurry();
    connection.cut(`no answer to a ping within ${withinMs} ms`);
    return false;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#hurry();
    await this.#connection?.end();
  }

  async #keep(first: Connection): Promise<void> {
    let connection: Connection | undefined = first;
    for (let attempt = 0; connection !== undefined; ) {
      const beganAt = performance.now();
      const reason = await connection.lost;
      this.#connection = undefined;
      this.#handlers.down(reason);
      if (this.#isClosing) return;
      if (this.#options.isReconnecting === false || reason.reasonCode === sessionTakenOver) {
        this.#handlers.ended(disconnected(reason));
        return;
      }
      if (performance.now() - beganAt > stableMs) attempt = 0;
      ({ connection, attempt } = await this.#reconnect(attempt));
    }
  }

  /** @returns The next connection, undefined where none is wanted any more, and the number of the attempt after it. */
  async #reconnect(first: number): Promise<{ connection: Connection | undefined; attempt: number }> {
    for (let attempt = first; ; attempt += 1) {
      await this.#pause(
        reconnectDelayMs(attempt, Math.random(), this.#options.reconnectDelay ?? defaultReconnectDelay),
      );
      if (this.#isClosing) return { connection: undefined, attempt };
      // Whatever the reason, a refusal too: a broker that starts, or is full, takes a later one.
      const connection = await this.#connect().catch(() => undefined);
      if (connection === undefined) continue;
      if (this.#isClosing) {
        await connection.end();
        return { connection: undefined, attempt };
      }
      await this.#begin(connection);
      return { connection, attempt: attempt + 1 };
    }
  }

  async #begin(connection: Connection): Promise<void> {
    this.#connection = connection;
    const { connectTimeoutMs = defaultConnectTimeoutMs } = this.#options;
    const impatience = setTimeout(() => connection.cut("no answer to a SUBSCRIBE in time"), connectTimeoutMs);
    await this.#handlers.up(connection);
    clearTimeout(impatience);
  }

  async #connect(): Promise<Connection> {
    try {
      return await this.#open(this.#protocolVersion);
    } catch (error) {
      const isWrongVersion = error instanceof ClientError && wrongVersionCodes.has(error.reasonCode);
      if (!isWrongVersion || this.#options.protocolVersion !== undefined || this.#protocolVersion === 4) throw error;
      const connection = await this.#open(4);
      this.#protocolVersion = 4;
      return connection;
    }
  }

  #open(protocolVersion: 4 | 5): Promise<Connection> {
    return Connection.open({
      ...{ broker: this.#broker, client: this.#options, clientId: this.clientId, protocolVersion },
      take: this.#handlers.take,
    });
  }

  #hurry(): void {
    this.#isHurried = true;
    this.#shortenPause();
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    let timer: NodeJS.Timeout | undefined;
    const waitFor = (waitMs: number) => {
      clearTimeout(timer);
      timer = setTimeout(resolve, waitMs);
    };
    this.#shortenPause = () => waitFor(this.#isClosing ? 0 : Math.min(ms, hurriedMs));
    if (this.#isHurried) this.#shortenPause();
    else waitFor(ms);
    await promise;
    this.#isHurried = false;
    this.#shortenPause = () => {};
  }
}

function disconnected(reason: ClientError): ClientError {
  const { message, reasonCode } = reason;
  return new ClientError("CLIENT_DISCONNECTED", message, { cause: reason, reasonCode });
}
