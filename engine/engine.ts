import { randomUUID } from "node:crypto";
import type { Delivery } from "../client/intake.ts";
import { fingerprintOf } from "../client/receipts.ts";
import { TopicTrie } from "../scheme/topic-trie.ts";
import type { Message } from "../sql/message.ts";
import { type AwsServices, startAwsServices } from "./aws-services.ts";
import { EngineError } from "./engine-error.ts";
import { EventLedger } from "./event-ledger.ts";
import { HttpApiServer, invocationsOfHttpApi } from "./http-api-server.ts";
import { Invocations } from "./invocations.ts";
import { deriveMessageId } from "./message-id.ts";
import { Queues } from "./queues.ts";
import { Rule } from "./rule.ts";
import { refuseLoops } from "./rule-loops.ts";
import { systemClock } from "./services/clock.ts";
import type { HttpApiCounts } from "./services/http-api.ts";
import type { LedgerEntry, LedgerLine } from "./services/ledger.ts";
import { MappingStates } from "./services/mapping-states.ts";
import type { MessageBroker } from "./services/message-broker.ts";
import type { QueueConditions } from "./services/queue.ts";
import { QueueStore } from "./services/queue-store.ts";
import type { SecretSource } from "./services/secrets.ts";
import type { Plan } from "./template/plan.ts";

export interface EngineOptions {
  /** Where the queues are kept; made where it is missing. */
  readonly dataFolder: string;
  /** Queues that are this large on disk refuse messages, as on a full disk; unlimited by default. */
  readonly maximumStoreBytes?: number;
  /** No secrets by default. */
  readonly secrets?: SecretSource;
  /** A minute of a schedule is 15 s by default, since nobody pays for it here. */
  readonly minuteMs?: number;
  /** What people should know of the services. */
  readonly log?: (line: string) => void;
  /** A line that a function printed. */
  readonly onOutput?: (functionName: string, line: string) => void;
  readonly queueConditions?: QueueConditions;
  /** What rules and the data plane of IoT Core publish to; undefined before it is there, and by default. */
  readonly messageBroker?: () => MessageBroker | undefined;
  /** Where the template's HTTP API is served on loopback; any port that is free by default. */
  readonly httpPort?: number;
}

/** The template's HTTP API as it is served on this machine. */
export interface ServedHttpApi {
  readonly url: string;
  /** What its callers bear: `authorization: Bearer <token>`. */
  readonly token: string;
}

/** A message as a broker delivers it. */
export type IncomingMessage = Omit<Message, "timestampMs" | "traceId" | "accountId">;

/** What has happened since the start, for people to watch; a number of messages each. */
export interface EngineCounts {
  /** Taken from the broker. */
  received: number;
  /** Selected by no rule. */
  unrouted: number;
  /** On disk in a queue or as an event, waiting for the API or for their next attempt. */
  pending: number;
  /** Answered by the API with success. */
  delivered: number;
  /**
   * Attempts that failed, and messages that a function gave back unattempted, while their route's circuit is open say:
   * its answer does not tell one from the other.
   */
  failed: number;
  /** Given up: by a function that recorded them, by a queue that they were received from too often, or by a rule. */
  dead: number;
  /** Nobody's any more: refused for good by every action, or an event of QoS 0 that failed or waited too long. */
  lost: number;
}

const defaultMinuteMs = 15_000;

const basicIngestPrefix = "$aws/rules/";

/**
 * Runs a plan: a message in, its rules' actions out. It knows nothing of brokers and of processes; `main.ts` and
 * `npm start` hand it both.
 */
export class Engine implements AsyncDisposable {
  readonly #plan: Plan;
  readonly #options: EngineOptions;
  readonly #store: QueueStore;
  readonly #eventLedger: EventLedger;
  readonly #queues: Queues;
  readonly #invocations: Invocations;
  #services: AwsServices | undefined;
  #httpApi: HttpApiServer | undefined;
  /** By name. */
  #rules: ReadonlyMap<string, Rule> = new Map();
  readonly #rulesByTopic = new TopicTrie<Rule>();
  #end: Promise<void> | undefined;
  #received = 0;
  #unrouted = 0;

  private constructor(plan: Plan, options: EngineOptions) {
    this.#plan = plan;
    this.#options = options;
    const { dataFolder, maximumStoreBytes, queueConditions, minuteMs = defaultMinuteMs, onOutput = () => {} } = options;
    const mappingStates = new MappingStates(dataFolder);
    this.#store = new QueueStore(dataFolder, maximumStoreBytes);
    this.#queues = new Queues(plan, this.#store, queueConditions);
    this.#invocations = new Invocations(plan, this.#queues, {
      mappingStates,
      clock: { ...systemClock, ...queueConditions },
      minuteMs,
      servicesEnvironment: () => this.services.environment,
      onOutput,
      count: (entry) => this.#store.count(entry),
    });
    this.#eventLedger = new EventLedger(
      () => this.#invocations.events,
      (entry) => this.#store.count(entry),
    );
  }

  /**
   * Starts queues and functions and takes up what the queues still hold.
   *
   * @throws {EngineError} for what the engine does not perform, and for a function whose code cannot be loaded.
   */
  static async start(plan: Plan, options: EngineOptions): Promise<Engine> {
    const engine = new Engine(plan, options);
    try {
      await engine.#start();
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      if (error instanceof EngineError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new EngineError("ERR_FUNCTION", reason, { cause: error });
    }
  }

  /** The topic filters that a broker has to be asked for: the rules' own, and the Basic Ingest topics that lead to them. */
  get topicFilters(): readonly string[] {
    const filters = [...this.#rules.values()].flatMap(({ name, topicFilter }) => [
      `${basicIngestPrefix}${name}/#`,
      ...(topicFilter === undefined ? [] : [topicFilter]),
    ]);
    return [...new Set(filters)];
  }

  /** Where the services are that answer for AWS. */
  get services(): Omit<AwsServices, keyof AsyncDisposable> {
    const { environment = {}, ledgerUrl = "" } = this.#services ?? {};
    return { environment, ledgerUrl };
  }

  /** Undefined where the template has none. */
  get httpApi(): ServedHttpApi | undefined {
    return this.#httpApi && { url: this.#httpApi.url, token: this.#httpApi.token };
  }

  /** What became of the HTTP API's requests. */
  get httpCounts(): (HttpApiCounts & { readonly requests: number }) | undefined {
    return this.#httpApi?.counts;
  }

  get counts(): EngineCounts {
    const queues = this.#queues.ofAccounts;
    const rules = [...this.#rules.values()];
    // What a schedule or a queue between functions invokes is no message of a device.
    const events = this.#invocations.events.flatMap(({ amounts }) => [...amounts.values()]);
    const mappings = this.#invocations.mappings.filter(({ account }) => account !== undefined);
    const durable = this.#invocations.durableEvents.filter(({ account }) => account !== undefined);
    return {
      received: this.#received,
      unrouted: this.#unrouted,
      pending: sum(queues, ({ depth }) => depth),
      delivered: sum(queues, ({ counts }) => counts.deleted) + sum(events, ({ delivered }) => delivered),
      failed:
        sum(mappings, ({ counts }) => counts.failedMessages) +
        sum(durable, ({ counts }) => counts.failed) +
        sum(events, ({ dropped }) => dropped),
      dead: sum(queues, ({ counts }) => counts.dead) + sum(rules, ({ counts }) => counts.dead),
      lost: sum(rules, ({ counts }) => counts.lost) + sum(events, ({ dropped }) => dropped),
    };
  }

  /**
   * Takes a message. Resolves when every action has it, queues on disk: only then may it be acknowledged.
   *
   * @param delivery The broker's, of a QoS 1 message: one that is delivered again gets the id that it had.
   * @param filters Only rules with these are run: for others the broker sends the message once more. All by default.
   * @throws {RuleFailure} where nobody has the message: it may be taken later, or is lost, as the failure says.
   */
  async accept(incoming: IncomingMessage, delivery?: Delivery, filters?: readonly string[]): Promise<void> {
    this.#received += 1;
    const { topic, rules } = this.#route(incoming.topic, filters);
    if (rules.length === 0) this.#unrouted += 1;
    const { accountId } = this.#plan;
    const fingerprint = delivery && fingerprintOf(incoming.topic, incoming.payload);
    const id = this.#idOf(delivery, fingerprint);
    const message = { ...incoming, topic, accountId, timestampMs: Date.now(), traceId: id };
    const [rule, another] = rules;
    const done =
      rule !== undefined && another === undefined
        ? rule.run(message, id, delivery !== undefined)
        : Promise.all(rules.map((each) => each.run(message, deriveMessageId(id, each.name), delivery !== undefined)));
    if (delivery !== undefined && fingerprint !== undefined) {
      this.#store.remember({ packetIdentifier: delivery.packetIdentifier, fingerprint, id });
    }
    await done;
  }

  /**
   * What has become of every message that was ever taken: rows are counted, and everything that is settled is written
   * first.
   */
  ledger(): readonly LedgerLine[] {
    this.#eventLedger.write();
    const isWritten = this.#store.flush();
    const lines = this.#store.readLedger();
    // On a full disk the lines are older than memory, and add up without it.
    return isWritten ? this.#eventLedger.withPending(lines) : lines;
  }

  /** Begins no invocation any more, and resolves when those that run have ended. */
  async stop(): Promise<void> {
    this.#httpApi?.stop();
    await this.#invocations.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= this.#dispose();
    return this.#end;
  }

  /** Apart from the constructor: what has begun before a part is refused has to be ended. */
  async #start(): Promise<void> {
    await this.#startServices();
    this.#queues.open();
    this.#readRules();
    this.#eventLedger.start();
    const invocations = invocationsOfHttpApi(this.#plan, this.#invocations);
    await this.#invocations.start();
    await this.#serveHttpApi(invocations);
  }

  /** After the functions are ready: whoever may connect is answered. */
  async #serveHttpApi(invocations: ReturnType<typeof invocationsOfHttpApi>): Promise<void> {
    const { httpApi: plan, accountId } = this.#plan;
    const { dataFolder, httpPort: port = 0, queueConditions } = this.#options;
    if (plan === undefined) return;
    const now = queueConditions?.now ?? systemClock.now;
    this.#httpApi = await HttpApiServer.start({ plan, accountId, dataFolder, port, now, invocations });
  }

  /** Before the functions, which are told where the services are. */
  async #startServices(): Promise<void> {
    const { dataFolder, log = () => {}, secrets = () => undefined, queueConditions } = this.#options;
    const { messageBroker = () => undefined } = this.#options;
    this.#services = await startAwsServices({
      dataFolder,
      region: this.#plan.region,
      tables: this.#plan.tables,
      log,
      now: queueConditions?.now ?? systemClock.now,
      secrets,
      mappings: this.#invocations.managedMappings,
      queues: this.#queues.byUrl,
      ledger: () => this.ledger(),
      messageBroker,
    });
  }

  #readRules(): void {
    const plan = this.#plan;
    const events = (functionArn: string) => this.#invocations.eventsOf(functionArn);
    const count = (entry: LedgerEntry) => this.#store.count(entry);
    const { messageBroker = () => undefined } = this.#options;
    const targets = { plan, queues: this.#queues.byUrl, events, messageBroker, count };
    const rules = plan.rules.filter(({ isDisabled }) => !isDisabled).map((rule) => new Rule(rule, targets));
    refuseLoops(rules);
    this.#rules = new Map(rules.map((rule) => [rule.name, rule]));
    for (const rule of rules) {
      // One without FROM is reached by Basic Ingest only.
      if (rule.topicFilter !== undefined) this.#rulesByTopic.add(rule.topicFilter, rule);
      // A rule that has had no message is a line too.
      count({ account: rule.name, amounts: {} });
    }
  }

  async #dispose(): Promise<void> {
    this.#httpApi?.stop();
    // Its end settles those who wait for an answer.
    await this.#invocations[Symbol.asyncDispose]();
    await this.#httpApi?.[Symbol.asyncDispose]();
    await this.#services?.[Symbol.asyncDispose]();
    this.#queues[Symbol.dispose]();
    this.#eventLedger[Symbol.dispose]();
    this.#store[Symbol.dispose]();
  }

  #idOf(delivery: Delivery | undefined, fingerprint: string | undefined): string {
    if (delivery?.isRedelivery !== true || fingerprint === undefined) return randomUUID();
    return this.#store.findReceipt(delivery.packetIdentifier, fingerprint) ?? randomUUID();
  }

  /** A Basic Ingest topic names its rule, and the rule sees only what follows. */
  #route(topic: string, filters?: readonly string[]): { readonly topic: string; readonly rules: readonly Rule[] } {
    if (!topic.startsWith(basicIngestPrefix)) {
      const rules = this.#rulesByTopic.match(topic);
      if (filters === undefined) return { topic, rules };
      return { topic, rules: rules.filter(({ topicFilter = "" }) => filters.includes(topicFilter)) };
    }
    const end = topic.indexOf("/", basicIngestPrefix.length);
    const rule = end < 0 ? undefined : this.#rules.get(topic.slice(basicIngestPrefix.length, end));
    return { topic: topic.slice(end + 1), rules: rule === undefined ? [] : [rule] };
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
