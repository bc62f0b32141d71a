import { randomUUID } from "node:crypto";
import type { Message } from "../sql/message.ts";
import { type AwsServices, startAwsServices } from "./aws-services.ts";
import { EngineError } from "./engine-error.ts";
import { EventLedger } from "./event-ledger.ts";
import { accountsOf } from "./ledger-accounts.ts";
import { deriveMessageId } from "./message-id.ts";
import { Rule } from "./rule.ts";
import { AsynchronousEvents } from "./services/asynchronous-events.ts";
import { type Clock, systemClock } from "./services/clock.ts";
import { EventSourceMapping } from "./services/event-source-mapping.ts";
import type { FunctionOptions } from "./services/execution-environment.ts";
import type { LedgerEntry, LedgerLine } from "./services/ledger.ts";
import { ManagedMapping } from "./services/managed-mapping.ts";
import { MappingStates } from "./services/mapping-states.ts";
import { Queue, type QueueConditions } from "./services/queue.ts";
import { QueueStore } from "./services/queue-store.ts";
import { type Delivery, fingerprintOf } from "./services/receipt-table.ts";
import { ReservedConcurrency } from "./services/reserved-concurrency.ts";
import { Schedule } from "./services/schedule.ts";
import type { SecretSource } from "./services/secrets.ts";
import { mayInvoke } from "./template/permissions.ts";
import type { FunctionPlan, MappingPlan, Plan, SchedulePlan } from "./template/plan.ts";

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
}

/** A message as a broker delivers it. */
export type IncomingMessage = Omit<Message, "timestampMs" | "traceId" | "accountId">;

/** What has happened since the start, for people to watch; a number of messages each. */
export interface EngineCounts {
  /** Taken from the broker. */
  received: number;
  /** Selected by no rule. */
  unrouted: number;
  /** On disk in a queue, waiting for the API or for their next attempt. */
  pending: number;
  /** Answered by the API with success. */
  delivered: number;
  /** Attempts that failed. */
  failed: number;
  /** Given up: by a function that recorded them, by a queue that they were received from too often, or by a rule. */
  dead: number;
  /** Nobody's any more: refused for good by every action, or an event of QoS 0 that failed or waited too long. */
  lost: number;
}

const defaultMinuteMs = 15_000;

/** How often the ledger is told of messages that are in memory only. */
const eventLedgerMs = 1_000;

const basicIngestPrefix = "$aws/rules/";

/**
 * Runs a plan: a message in, its rules' actions out. It knows nothing of brokers and of processes; `main.ts` and
 * `npm start` hand it both.
 */
export class Engine implements AsyncDisposable {
  readonly #plan: Plan;
  readonly #options: EngineOptions;
  readonly #store: QueueStore;
  readonly #queues = new Map<string, Queue>();
  readonly #queuesByUrl = new Map<string, Queue>();
  readonly #mappings: EventSourceMapping[] = [];
  readonly #managedMappings: ManagedMapping[] = [];
  readonly #mappingStates: MappingStates;
  /** By the function's ARN. */
  readonly #reserved = new Map<string, ReservedConcurrency>();
  readonly #schedules: Schedule[] = [];
  #services: AwsServices | undefined;
  readonly #events = new Map<string, AsynchronousEvents>();
  #rules: readonly Rule[] = [];
  /** By the queue's ARN. */
  readonly #accounts: ReadonlyMap<string, string>;
  readonly #eventLedger: EventLedger;
  #eventLedgerTimer: NodeJS.Timeout | undefined;
  #received = 0;
  #unrouted = 0;

  private constructor(plan: Plan, options: EngineOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#mappingStates = new MappingStates(options.dataFolder);
    this.#store = new QueueStore(options.dataFolder, options.maximumStoreBytes);
    this.#accounts = accountsOf(plan);
    this.#eventLedger = new EventLedger(
      () => this.#events.values(),
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
      await engine.#startServices();
      engine.#build();
      await Promise.all(engine.#sources.map((source) => source.started()));
      for (const schedule of engine.#schedules) schedule.start();
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
    return this.#rules.flatMap(({ name, topicFilter }) => [
      `${basicIngestPrefix}${name}/#`,
      ...(topicFilter === undefined ? [] : [topicFilter]),
    ]);
  }

  /** Where the services are that answer for AWS. */
  get services(): Omit<AwsServices, keyof AsyncDisposable> {
    const { environment = {}, ledgerUrl = "" } = this.#services ?? {};
    return { environment: { ...environment, ...this.#sdkEnvironment }, ledgerUrl };
  }

  get counts(): EngineCounts {
    // A dead-letter queue is no account's, and neither is one between functions.
    const queues = [...this.#queues.values()].filter(({ account }) => account !== undefined);
    // What a schedule or a queue between functions invokes is no message of a device.
    const events = [...this.#events.values()].flatMap(({ amounts }) => [...amounts.values()]);
    const mappings = this.#mappings.filter(({ account }) => account !== undefined);
    return {
      received: this.#received,
      unrouted: this.#unrouted,
      pending: sum(queues, ({ depth }) => depth),
      delivered: sum(queues, ({ counts }) => counts.deleted) + sum(events, ({ delivered }) => delivered),
      failed: sum(mappings, ({ counts }) => counts.failedMessages) + sum(events, ({ dropped }) => dropped),
      dead: sum(queues, ({ counts }) => counts.dead) + sum(this.#rules, ({ counts }) => counts.dead),
      lost: sum(this.#rules, ({ counts }) => counts.lost) + sum(events, ({ dropped }) => dropped),
    };
  }

  /**
   * Takes a message. Resolves when every action has it, queues on disk: only then may it be acknowledged.
   *
   * @param delivery The broker's, of a QoS 1 message: one that is delivered again gets the id that it had.
   * @throws {RuleFailure} where nobody has the message: it may be taken later, or is lost, as the failure says.
   */
  async accept(incoming: IncomingMessage, delivery?: Delivery): Promise<void> {
    this.#received += 1;
    const { topic, rules } = this.#route(incoming.topic);
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
    for (const schedule of this.#schedules) schedule[Symbol.dispose]();
    await Promise.all(this.#sources.map((source) => source.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const schedule of this.#schedules) schedule[Symbol.dispose]();
    await Promise.all(this.#sources.map((source) => source[Symbol.asyncDispose]()));
    await this.#services?.[Symbol.asyncDispose]();
    for (const queue of this.#queues.values()) queue[Symbol.dispose]();
    clearInterval(this.#eventLedgerTimer);
    this.#eventLedger.write();
    this.#store[Symbol.dispose]();
  }

  /** Before the functions, which are told where the services are. */
  async #startServices(): Promise<void> {
    const { dataFolder, log = () => {}, secrets = () => undefined } = this.#options;
    this.#services = await startAwsServices({
      dataFolder,
      tables: this.#plan.tables,
      log,
      now: this.#clock.now,
      secrets,
      mappings: this.#managedMappings,
      queues: this.#queuesByUrl,
      ledger: () => this.ledger(),
    });
  }

  /** Apart from the constructor: what has begun before a part is refused has to be ended. */
  #build(): void {
    const plan = this.#plan;
    for (const { arn } of plan.queues.values()) this.#queue(arn, "the template");
    const queues = this.#queuesByUrl;
    for (const { arn, url } of plan.queues.values()) queues.set(url, this.#queue(arn, url));
    const count = (entry: LedgerEntry) => this.#store.count(entry);
    const targets = { plan, queues, events: (arn: string) => this.#eventsOf(arn), count };
    this.#rules = plan.rules.filter(({ isDisabled }) => !isDisabled).map((rule) => new Rule(rule, targets));
    // A rule that has had no message is a line too.
    for (const { name } of this.#rules) count({ account: name, amounts: {} });
    this.#eventLedgerTimer = setInterval(() => this.#eventLedger.write(), eventLedgerMs).unref();
    for (const mapping of plan.mappings) this.#startMapping(mapping);
    for (const schedule of plan.schedules) this.#schedules.push(this.#schedule(schedule));
  }

  get #clock(): Clock {
    return { ...systemClock, ...this.#options.queueConditions };
  }

  get #sources(): readonly (EventSourceMapping | AsynchronousEvents)[] {
    return [...this.#mappings, ...this.#events.values()];
  }

  #idOf(delivery: Delivery | undefined, fingerprint: string | undefined): string {
    if (delivery?.isRedelivery !== true || fingerprint === undefined) return randomUUID();
    return this.#store.findReceipt(delivery.packetIdentifier, fingerprint) ?? randomUUID();
  }

  /** A Basic Ingest topic names its rule, and the rule sees only what follows. */
  #route(topic: string): { readonly topic: string; readonly rules: readonly Rule[] } {
    if (!topic.startsWith(basicIngestPrefix))
      return { topic, rules: this.#rules.filter((rule) => rule.selects(topic)) };
    const end = topic.indexOf("/", basicIngestPrefix.length);
    const name = topic.slice(basicIngestPrefix.length, end);
    return { topic: topic.slice(end + 1), rules: end < 0 ? [] : this.#rules.filter((rule) => rule.name === name) };
  }

  #queue(arn: string, at: string): Queue {
    const known = this.#queues.get(arn);
    if (known !== undefined) return known;
    const plan = this.#plan.queues.get(arn);
    if (plan === undefined) throw new EngineError("ERR_REFERENCE", `${at} names ${arn}, no queue of the template`);
    const to = plan.redrive && this.#queue(plan.redrive.toArn, plan.logicalId);
    const redrive = plan.redrive && to && { to, maxReceiveCount: plan.redrive.maxReceiveCount };
    const queue = new Queue(
      { ...plan, redrive, account: this.#accounts.get(arn) },
      this.#store,
      this.#options.queueConditions,
    );
    this.#queues.set(arn, queue);
    return queue;
  }

  #startMapping(mapping: MappingPlan): void {
    const { logicalId, queueArn, functionArn } = mapping;
    const plan = this.#plan.functions.get(functionArn);
    if (plan === undefined) throw new EngineError("ERR_REFERENCE", `${logicalId} names no function`);
    const queue = this.#queue(queueArn, logicalId);
    checkMapping(mapping, this.#plan, queue, plan);
    const reserved = this.#reservedOf(plan);
    const concurrencyOf = (maximum: number | undefined) =>
      Math.min(maximum ?? defaultConcurrency, reserved?.limit ?? Number.POSITIVE_INFINITY);
    const { isEnabled, maximumConcurrency } = this.#mappingStates.get(mapping);
    const { region } = this.#plan;
    const concurrency = { maximumConcurrency: concurrencyOf(maximumConcurrency), reserved };
    const options = { ...mapping, isEnabled, ...concurrency, region };
    const source = new EventSourceMapping(queue, this.#functionOptions(plan), options);
    this.#mappings.push(source);
    this.#managedMappings.push(new ManagedMapping(mapping, source, this.#mappingStates, concurrencyOf));
  }

  #schedule(schedule: SchedulePlan): Schedule {
    const { region, accountId } = this.#plan;
    const targets = schedule.functionArns.map((functionArn) => {
      const events = this.#eventsOf(functionArn);
      if (events !== undefined && mayInvoke(this.#plan, "events.amazonaws.com", schedule.arn, functionArn)) {
        return (event: string) => events.accept(event);
      }
      const message = `${schedule.logicalId} invokes ${functionArn} without an AWS::Lambda::Permission for ${schedule.arn}: AWS would refuse it`;
      throw new EngineError("ERR_PERMISSION_MISSING", message);
    });
    const { minuteMs = defaultMinuteMs } = this.#options;
    return new Schedule(schedule, { minuteMs, region, accountId, clock: this.#clock }, targets);
  }

  #reservedOf({ arn, reservedConcurrency }: FunctionPlan): ReservedConcurrency | undefined {
    if (reservedConcurrency === undefined) return undefined;
    const reserved = this.#reserved.get(arn) ?? new ReservedConcurrency(reservedConcurrency);
    this.#reserved.set(arn, reserved);
    return reserved;
  }

  #eventsOf(functionArn: string): AsynchronousEvents | undefined {
    const known = this.#events.get(functionArn);
    const plan = this.#plan.functions.get(functionArn);
    if (known !== undefined || plan === undefined) return known;
    const reserved = this.#reservedOf(plan);
    const concurrency = reserved?.limit ?? defaultConcurrency;
    const events = new AsynchronousEvents(this.#functionOptions(plan), { ...plan.asynchronous, concurrency, reserved });
    this.#events.set(functionArn, events);
    return events;
  }

  get #sdkEnvironment(): Readonly<Record<string, string>> {
    const { region } = this.#plan;
    return {
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      // The SDKs want credentials even where nobody looks at them.
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
    };
  }

  /** @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Reserved environment variables" */
  #functionOptions(plan: FunctionPlan): FunctionOptions {
    const environment = {
      AWS_LAMBDA_FUNCTION_NAME: plan.name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(plan.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${plan.name}`,
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      TZ: ":UTC",
      ...this.services.environment,
      ...plan.environment,
    };
    return { ...plan, environment, onOutput: (line) => this.#options.onOutput?.(plan.name, line) };
  }
}

/** Environments of a function that reserves no concurrency; an account has 1,000 to share, a machine has not. */
const defaultConcurrency = 10;

/** @throws {EngineError} for a mapping that AWS would not make, or whose queue another one reads already. */
function checkMapping({ logicalId, queueArn }: MappingPlan, plan: Plan, queue: Queue, target: FunctionPlan): void {
  const { visibilityTimeoutMs, name } = queue.options;
  if (visibilityTimeoutMs < target.timeoutMs) {
    const times = `${visibilityTimeoutMs / 1000} s is less than the function's time limit of ${target.timeoutMs / 1000} s`;
    throw new EngineError("ERR_PROPERTY_INVALID", `${logicalId}: the visibility timeout of ${name}, ${times}`);
  }
  const first = plan.mappings.find((mapping) => mapping.queueArn === queueArn);
  if (first?.logicalId === logicalId) return;
  const message = `${logicalId} reads ${name}, as ${first?.logicalId} does; two readers of a queue are not performed`;
  throw new EngineError("ERR_PROPERTY_UNSUPPORTED", message);
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
