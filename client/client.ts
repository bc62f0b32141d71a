import { randomUUID } from "node:crypto";
import { ClientError } from "./client-error.ts";
import type {
  ClientOptions,
  ListenOptions,
  PublishOptions,
  ReceiveOptions,
  RequestOptions,
  SubscribeOptions,
  SubscriptionOptions,
} from "./client-options.ts";
import { type Claim, FilterTable } from "./filter-table.ts";
import { Link } from "./link.ts";
import { Listeners } from "./listeners.ts";
import type { Message } from "./message.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import { Pending } from "./pending.ts";
import { ReplyTable } from "./reply-table.ts";
import { requestMessage } from "./request-message.ts";
import { readRetained } from "./retained.ts";
import { Subscription } from "./subscription.ts";
import { checkFilter, checkTopic } from "./topic-check.ts";

const defaultTimeoutMs = 10_000;
const defaultMaxBuffered = 1_000;

/**
 * One connection to a broker, for many callers. `connect()` makes it, `await using` ends it.
 *
 * Every call settles once: with what it asked for, or with a `ClientError`. A lost connection is made again meanwhile,
 * subscriptions first, then what has no PUBACK; callers notice it by the time that it takes. What others published
 * during that time is gone, except what is retained and what a session that is not clean keeps.
 */
export class Client implements AsyncDisposable {
  readonly #outbox: Outbox;
  readonly #filters: FilterTable;
  readonly #replies = new ReplyTable();
  readonly #onConnect = new Listeners<void>();
  readonly #onDisconnect = new Listeners<ClientError>();
  readonly #onUnclaimed: ((message: Message) => void) | undefined;
  readonly #link: Link;
  readonly #closed = Promise.withResolvers<ClientError>();
  #end: ClientError | undefined;

  private constructor(url: string, options: ClientOptions) {
    this.#outbox = new Outbox(options.maxInFlight);
    this.#filters = new FilterTable({ isClean: options.isClean ?? true });
    this.#onUnclaimed = options.onUnclaimed;
    this.#link = new Link(url, options, {
      take: (message, identifiers) => this.#take(message, identifiers),
      up: async (connection) => {
        await this.#filters.attach(connection);
        if (connection.isLost) return;
        this.#outbox.attach(connection);
        this.#onConnect.call();
      },
      down: (reason) => {
        this.#filters.detach();
        this.#outbox.detach(reason);
        this.#onDisconnect.call(reason);
      },
      ended: (reason) => this.#finish(reason),
    });
  }

  /** Resolves when the broker has accepted the connection; `connect()` is the same. @throws {ClientError} */
  static async connect(url: string, options: ClientOptions = {}): Promise<Client> {
    const client = new Client(url, options);
    await client.#link.open();
    return client;
  }

  /** Of the connection, or of the last one: 4 is MQTT 3.1.1. */
  get protocolVersion(): 4 | 5 {
    return this.#link.protocolVersion;
  }

  /** Names the client at the broker. */
  get clientId(): string {
    return this.#link.clientId;
  }

  /** The broker: host and port. */
  get address(): string {
    return this.#link.address;
  }

  /** Whether there is a connection, as far as one can know without asking. */
  get isConnected(): boolean {
    return this.#outbox.isAttached;
  }

  /** Filters that the broker has of this client, or will have. */
  get subscriptionCount(): number {
    return this.#filters.size;
  }

  /** Resolves when the client has ended for good: `CLIENT_CLOSED` by its owner, else with what ended it. */
  get closed(): Promise<ClientError> {
    return this.#closed.promise;
  }

  /** Calls back each time that a lost connection has been made again and the subscriptions with it. */
  onConnect(listener: () => void): Disposable {
    return this.#onConnect.add(listener);
  }

  /** Calls back each time that the connection is lost. */
  onDisconnect(listener: (reason: ClientError) => void): Disposable {
    return this.#onDisconnect.add(listener);
  }

  /**
   * Resolves at the broker's PUBACK, for QoS 0 when the message is written. A message that was given up is never sent
   * later; whether the broker has it is known for `CLIENT_REFUSED` only. The payload's bytes may not change meanwhile.
   *
   * @throws {ClientError}
   */
  async publish(topic: string, payload: Uint8Array | string, options: PublishOptions = {}): Promise<void> {
    this.#check(() => checkTopic(topic));
    const { qos = 1, isRetained = false, timeoutMs = defaultTimeoutMs, properties } = options;
    const pending = new Pending<void>(timeoutMs, () => `${this.address} has not acknowledged a message on ${topic}`);
    const outgoing: Outgoing = {
      ...{ topic, payload, qos, isRetained, properties },
      settle: (error) => (error === undefined ? pending.resolve() : pending.reject(error)),
    };
    pending.onSettled = (isLate) => this.#outbox.withdraw(outgoing, isLate);
    this.#send(outgoing);
    return pending.promise;
  }

  /**
   * The next message on a topic, or on any topic of a filter: a retained one where there is one, else what is published
   * from now on. Callers that wait for the same topic get the same message.
   *
   * @throws {ClientError}
   */
  async receive(filter: string, { timeoutMs, qos = 1 }: ReceiveOptions): Promise<Message> {
    this.#check(() => checkFilter(filter));
    const pending = new Pending<Message>(timeoutMs, () => `no message on ${filter} from ${this.address}`);
    const claim: Claim = {
      ...{ filter, qos },
      take: (message) => pending.resolve(message),
      granted: () => {},
      ended: (error) => pending.reject(error),
    };
    pending.onSettled = () => this.#filters.release(claim);
    this.#filters.claim(claim);
    return pending.promise;
  }

  /**
   * Publishes a request when the broker has granted the subscription to the reply topic, and resolves with the reply
   * that carries the request's id: as correlation data, or as `commandId` in its user properties or its envelope's
   * header. Other messages on that topic are nobody's reply.
   *
   * @throws {ClientError}
   */
  async request(topic: string, payload: Uint8Array | string, options: RequestOptions): Promise<Message> {
    const { replyTopic, timeoutMs, form = "properties" } = options;
    this.#check(() => [topic, replyTopic].forEach(checkTopic));
    const id = randomUUID();
    const pending = new Pending<Message>(timeoutMs, () => `no reply on ${replyTopic} to a request on ${topic}`);
    const outgoing: Outgoing = {
      ...{ topic, qos: 1, isRetained: false },
      ...requestMessage(this.protocolVersion === 5 ? form : "envelope", { id, replyTopic, payload }),
      settle: (error) => error !== undefined && pending.reject(error),
    };
    const claim: Claim = {
      ...{ filter: replyTopic, qos: 1 },
      granted: () => this.#send(outgoing),
      ended: (error) => pending.reject(error),
    };
    pending.onSettled = (isLate) => {
      this.#replies.delete(replyTopic, id);
      this.#outbox.withdraw(outgoing, isLate);
      this.#filters.release(claim);
    };
    this.#replies.add(replyTopic, id, (reply) => pending.resolve(reply));
    this.#filters.claim(claim);
    return pending.promise;
  }

  /**
   * Messages on a filter, in order, from the broker's SUBACK on; retained ones first. Subscriptions to the same filter
   * are one at the broker, and each has every message. What is not read yet waits in a bounded buffer.
   *
   * @throws {ClientError}
   */
  async subscribe(filter: string, options: SubscriptionOptions = {}): Promise<Subscription> {
    const subscription = new Subscription(filter, options.maxBuffered ?? defaultMaxBuffered);
    const take = (message: Message) => subscription.take(message);
    const ended = (error: ClientError) => subscription.ended(error);
    subscription.began(await this.#establish(filter, options, { take, ended }));
    return subscription;
  }

  /**
   * Calls back for each message on a filter; resolves at the broker's SUBACK. What a callback throws is an uncaught
   * exception of the process, and takes nothing from the others.
   *
   * @throws {ClientError}
   */
  async listen(
    filter: string,
    onMessage: (message: Message) => void,
    options: ListenOptions = {},
  ): Promise<AsyncDisposable> {
    const ended = (error: ClientError) => error.code !== "CLIENT_CLOSED" && options.onEnd?.(error);
    const release = await this.#establish(filter, options, { take: onMessage, ended });
    return { [Symbol.asyncDispose]: async () => release() };
  }

  /**
   * The retained message of a topic, undefined where there is none.
   *
   * @throws {ClientError}
   */
  async readRetained(topic: string, { timeoutMs }: { readonly timeoutMs: number }): Promise<Message | undefined> {
    this.#check(() => checkTopic(topic));
    const pending = new Pending<Message | undefined>(timeoutMs, () => `${this.address} does not say what ${topic} has`);
    readRetained({ topic, timeoutMs }, { filters: this.#filters, link: this.#link }, pending);
    return pending.promise;
  }

  /**
   * Whether the connection can be relied on. Where nothing was heard of the broker for half a keep-alive, by the wall
   * clock since the process may have been frozen, the broker is pinged. A connection that does not answer in time is
   * ended and made again, at once: what is published next waits for it.
   */
  async checkAlive({ withinMs }: { readonly withinMs: number }): Promise<boolean> {
    return this.#end === undefined && (await this.#link.checkAlive(withinMs));
  }

  /** Says goodbye to the broker. What still waits settles with `CLIENT_CLOSED`, subscriptions end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish(new ClientError("CLIENT_CLOSED", `the connection to ${this.address} was closed by its owner`));
    await this.#link.close();
  }

  #check(checkArguments: () => void): void {
    if (this.#end !== undefined) throw this.#end;
    checkArguments();
  }

  /** What was subscribed to before a message is published hears it, whether the SUBACK was waited for or not. */
  #send(outgoing: Outgoing): void {
    this.#filters.flush();
    this.#outbox.send(outgoing);
  }

  /** @returns What releases the claim. */
  async #establish(
    filter: string,
    { qos = 1, timeoutMs = defaultTimeoutMs }: SubscribeOptions,
    { take, ended }: Pick<Claim, "ended"> & { readonly take: (message: Message) => void },
  ): Promise<() => void> {
    this.#check(() => checkFilter(filter));
    const pending = new Pending<void>(timeoutMs, () => `${this.address} has not granted a subscription to ${filter}`);
    const claim: Claim = {
      ...{ filter, qos, take },
      granted: () => pending.resolve(),
      ended: (error) => (pending.isSettled ? ended(error) : pending.reject(error)),
    };
    this.#filters.claim(claim);
    try {
      await pending.promise;
    } catch (error) {
      this.#filters.release(claim);
      throw error;
    }
    return () => this.#filters.release(claim);
  }

  #take(message: Message, identifiers: readonly number[]): void {
    const isReply = this.#replies.take(message);
    const isClaimed = this.#filters.dispatch(message, identifiers);
    if (!isReply && !isClaimed) this.#onUnclaimed?.(message);
  }

  #finish(reason: ClientError): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#filters.end(reason);
    this.#outbox.end(reason);
    this.#closed.resolve(reason);
  }
}
