import { randomUUID } from "node:crypto";
import type { Message } from "../sql/message.ts";
import { EngineError } from "./engine-error.ts";
import { Rule } from "./rule.ts";
import { AsynchronousEvents } from "./services/asynchronous-events.ts";
import { EventSourceMapping } from "./services/event-source-mapping.ts";
import type { FunctionOptions } from "./services/execution-environment.ts";
import { Queue, type QueueConditions } from "./services/queue.ts";
import { QueueStore } from "./services/queue-store.ts";
import type { FunctionPlan, MappingPlan, Plan } from "./template/plan.ts";

export interface EngineOptions {
  /** Where the queues are kept; made where it is missing. */
  readonly dataFolder: string;
  /** Variables that every function gets beside its own: where AWS's services are found on this machine. */
  readonly serviceEnvironment?: Readonly<Record<string, string>>;
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
  /** In a dead-letter queue. */
  dead: number;
  /** Nobody's any more: refused for good by every action, or an event of QoS 0 that failed or waited too long. */
  lost: number;
}

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
  readonly #mappings: EventSourceMapping[] = [];
  readonly #events = new Map<string, AsynchronousEvents>();
  #rules: readonly Rule[] = [];
  readonly #deadLetterQueues = new Set<Queue>();
  #received = 0;
  #unrouted = 0;

  private constructor(plan: Plan, options: EngineOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#store = new QueueStore(options.dataFolder);
  }

  /**
   * Starts queues and functions and takes up what the queues still hold.
   *
   * @throws {EngineError} for what the engine does not perform, and for a function whose code cannot be loaded.
   */
  static async start(plan: Plan, options: EngineOptions): Promise<Engine> {
    const engine = new Engine(plan, options);
    try {
      engine.#build();
      await Promise.all(engine.#sources.map((source) => source.started()));
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

  get counts(): EngineCounts {
    const queues = [...this.#queues.values()].filter((queue) => !this.#deadLetterQueues.has(queue));
    const events = [...this.#events.values()];
    return {
      received: this.#received,
      unrouted: this.#unrouted,
      pending: sum(queues, ({ depth }) => depth),
      delivered: sum(queues, ({ counts }) => counts.deleted) + sum(events, ({ counts }) => counts.succeeded),
      failed: sum(this.#mappings, ({ counts }) => counts.failedMessages) + sum(events, ({ counts }) => counts.failed),
      dead: sum([...this.#deadLetterQueues], ({ depth }) => depth),
      lost: sum(this.#rules, ({ counts }) => counts.lost) + sum(events, ({ counts }) => counts.expired + counts.failed),
    };
  }

  /**
   * Takes a message. Resolves when every action has it, queues on disk: only then may it be acknowledged.
   *
   * @throws {RuleFailure} where nobody has the message: it may be taken later, or is lost, as the failure says.
   */
  async accept(incoming: IncomingMessage): Promise<void> {
    this.#received += 1;
    const { topic, rules } = this.#route(incoming.topic);
    if (rules.length === 0) this.#unrouted += 1;
    const { accountId } = this.#plan;
    const message = { ...incoming, topic, accountId, timestampMs: Date.now(), traceId: randomUUID() };
    if (rules.length === 1) await rules[0]?.run(message);
    else await Promise.all(rules.map((rule) => rule.run(message)));
  }

  /** Begins no invocation any more, and resolves when those that run have ended. */
  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sources.map((source) => source[Symbol.asyncDispose]()));
    for (const queue of this.#queues.values()) queue[Symbol.dispose]();
    this.#store[Symbol.dispose]();
  }

  /** Apart from the constructor: what has begun before a part is refused has to be ended. */
  #build(): void {
    const plan = this.#plan;
    for (const { arn } of plan.queues.values()) this.#queue(arn, "the template");
    const queues = new Map([...plan.queues.values()].map(({ arn, url }) => [url, this.#queue(arn, url)]));
    const targets = { plan, queues, events: (arn: string) => this.#eventsOf(arn) };
    this.#rules = plan.rules.filter(({ isDisabled }) => !isDisabled).map((rule) => new Rule(rule, targets));
    for (const mapping of plan.mappings) this.#startMapping(mapping);
  }

  get #sources(): readonly (EventSourceMapping | AsynchronousEvents)[] {
    return [...this.#mappings, ...this.#events.values()];
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
    if (to !== undefined) this.#deadLetterQueues.add(to);
    const redrive = plan.redrive && to && { to, maxReceiveCount: plan.redrive.maxReceiveCount };
    const queue = new Queue({ ...plan, redrive }, this.#store, this.#options.queueConditions);
    this.#queues.set(arn, queue);
    return queue;
  }

  #startMapping(mapping: MappingPlan): void {
    const { logicalId, queueArn, functionArn } = mapping;
    const plan = this.#plan.functions.get(functionArn);
    if (plan === undefined) throw new EngineError("ERR_REFERENCE", `${logicalId} names no function`);
    const queue = this.#queue(queueArn, logicalId);
    checkMapping(mapping, this.#plan, queue, plan);
    const reserved = plan.reservedConcurrency ?? Number.POSITIVE_INFINITY;
    const maximumConcurrency = Math.min(mapping.maximumConcurrency ?? defaultConcurrency, reserved);
    const options = { ...mapping, maximumConcurrency, region: this.#plan.region };
    this.#mappings.push(new EventSourceMapping(queue, this.#functionOptions(plan), options));
  }

  #eventsOf(functionArn: string): AsynchronousEvents | undefined {
    const known = this.#events.get(functionArn);
    const plan = this.#plan.functions.get(functionArn);
    if (known !== undefined || plan === undefined) return known;
    const concurrency = plan.reservedConcurrency ?? defaultConcurrency;
    const events = new AsynchronousEvents(this.#functionOptions(plan), { ...plan.asynchronous, concurrency });
    this.#events.set(functionArn, events);
    return events;
  }

  /** @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Reserved environment variables" */
  #functionOptions(plan: FunctionPlan): FunctionOptions {
    const { region } = this.#plan;
    const environment = {
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      // The SDKs want credentials even where nobody looks at them.
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_LAMBDA_FUNCTION_NAME: plan.name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(plan.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${plan.name}`,
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      TZ: ":UTC",
      ...this.#options.serviceEnvironment,
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
