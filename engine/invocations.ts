import { EngineError } from "./engine-error.ts";
import type { Queues } from "./queues.ts";
import { AsynchronousEvents } from "./services/asynchronous-events.ts";
import type { Clock } from "./services/clock.ts";
import { DurableEvents } from "./services/durable-events.ts";
import { EventSourceMapping } from "./services/event-source-mapping.ts";
import type { FunctionOptions } from "./services/execution-environment.ts";
import type { LedgerEntry } from "./services/ledger.ts";
import { type LedgerAnswer, ledgerAnswer } from "./services/ledger-answer.ts";
import { ManagedMapping } from "./services/managed-mapping.ts";
import type { MappingStates } from "./services/mapping-states.ts";
import type { Queue } from "./services/queue.ts";
import { ReservedConcurrency } from "./services/reserved-concurrency.ts";
import { Schedule } from "./services/schedule.ts";
import { SynchronousInvocations } from "./services/synchronous-invocations.ts";
import { mayInvoke } from "./template/permissions.ts";
import type { FunctionPlan, MappingPlan, Plan, SchedulePlan } from "./template/plan.ts";

export interface InvocationsOptions {
  readonly mappingStates: MappingStates;
  readonly clock: Clock;
  /** How long a minute of a schedule takes. */
  readonly minuteMs: number;
  /** Variables by which functions find the services; asked for when a function is made ready. */
  readonly servicesEnvironment: () => Readonly<Record<string, string>>;
  /** A line that a function printed. */
  readonly onOutput: (functionName: string, line: string) => void;
  /** Tells the ledger what a function says of messages. */
  readonly count: (entry: LedgerEntry) => void;
}

/** Environments of a function that reserves no concurrency; an account has 1,000 to share, a machine has not. */
const defaultConcurrency = 10;

/** Those of a function that callers wait for: one that waits for a device itself keeps its environment for that time. */
const defaultSynchronousConcurrency = 64;

/**
 * What invokes the functions of a plan: event source mappings, asynchronous events, schedules and callers. They begin and end
 * together, and those of one function share the concurrency that it reserves.
 */
export class Invocations implements AsyncDisposable {
  readonly #plan: Plan;
  readonly #queues: Queues;
  readonly #options: InvocationsOptions;
  readonly #mappings: EventSourceMapping[] = [];
  readonly #managedMappings: ManagedMapping[] = [];
  readonly #events = new Map<string, AsynchronousEvents | DurableEvents>();
  readonly #synchronous = new Map<string, SynchronousInvocations>();
  readonly #schedules: Schedule[] = [];
  /** Functions that an environment is started for, by ARN. */
  readonly #prepared = new Set<string>();
  /** By the function's ARN. */
  readonly #reserved = new Map<string, ReservedConcurrency>();
  readonly #tell: LedgerAnswer;

  constructor(plan: Plan, queues: Queues, options: InvocationsOptions) {
    this.#plan = plan;
    this.#queues = queues;
    this.#options = options;
    this.#tell = ledgerAnswer(new Set(plan.rules.map(({ name }) => name)), options.count);
  }

  /** None before `start`. */
  get mappings(): readonly EventSourceMapping[] {
    return this.#mappings;
  }

  /** The same as Lambda's API has them. */
  get managedMappings(): readonly ManagedMapping[] {
    return this.#managedMappings;
  }

  /** Those in memory, of all functions that something invokes asynchronously. */
  get events(): readonly AsynchronousEvents[] {
    return [...this.#events.values()].filter((events) => events instanceof AsynchronousEvents);
  }

  /** Those of functions with an on-failure destination. */
  get durableEvents(): readonly DurableEvents[] {
    return [...this.#events.values()].filter((events) => events instanceof DurableEvents);
  }

  /**
   * A function's asynchronous events, ready to be accepted from now on; undefined where the plan has no such function.
   *
   * @throws {EngineError} `ERR_REFERENCE` where its on-failure destination is no queue of the template.
   */
  eventsOf(functionArn: string): AsynchronousEvents | DurableEvents | undefined {
    const known = this.#events.get(functionArn);
    const plan = this.#plan.functions.get(functionArn);
    if (known !== undefined || plan === undefined) return known;
    const { clock } = this.#options;
    const reserved = this.#reservedOf(plan);
    const concurrency = reserved?.limit ?? defaultConcurrency;
    const { onFailure, ...limits } = plan.asynchronous;
    const options = { ...limits, concurrency, reserved, clock };
    const events =
      onFailure === undefined
        ? new AsynchronousEvents(this.#functionOptions(plan), options)
        : new DurableEvents(this.#queues.openEvents(plan), this.#functionOptions(plan), {
            ...options,
            onFailure: this.#queues.get(onFailure.queueArn, onFailure.at),
            tell: this.#tell,
          });
    this.#events.set(functionArn, events);
    return events;
  }

  /** Invokes a function for callers who wait for its answer; undefined where the plan has no such function. */
  synchronousOf(functionArn: string): SynchronousInvocations | undefined {
    const known = this.#synchronous.get(functionArn);
    const plan = this.#plan.functions.get(functionArn);
    if (known !== undefined || plan === undefined) return known;
    const reserved = this.#reservedOf(plan);
    const concurrency = reserved?.limit ?? defaultSynchronousConcurrency;
    const synchronous = new SynchronousInvocations(this.#functionOptions(plan), { concurrency, reserved });
    this.#synchronous.set(functionArn, synchronous);
    return synchronous;
  }

  /**
   * Begins to read the queues, and, when the functions' code is loaded, the schedules.
   *
   * @throws {EngineError} for what AWS would refuse or the engine does not perform; other errors of a function's code.
   */
  async start(): Promise<void> {
    for (const mapping of this.#plan.mappings) this.#startMapping(mapping);
    // There may be events on disk of what invokes the function no more.
    for (const { arn, asynchronous } of this.#plan.functions.values()) if (asynchronous.onFailure) this.eventsOf(arn);
    for (const schedule of this.#plan.schedules) this.#schedules.push(this.#schedule(schedule));
    await Promise.all(this.#sources.map((source) => source.started()));
    for (const schedule of this.#schedules) schedule.start();
  }

  /** Begins no invocation any more, and resolves when those that run have ended. */
  async stop(): Promise<void> {
    for (const schedule of this.#schedules) schedule[Symbol.dispose]();
    await Promise.all(this.#sources.map((source) => source.stop()));
  }

  /** Ends what runs, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const schedule of this.#schedules) schedule[Symbol.dispose]();
    await Promise.all(this.#sources.map((source) => source[Symbol.asyncDispose]()));
  }

  get #sources(): readonly (EventSourceMapping | AsynchronousEvents | DurableEvents | SynchronousInvocations)[] {
    return [...this.#mappings, ...this.#events.values(), ...this.#synchronous.values()];
  }

  #startMapping(mapping: MappingPlan): void {
    const { logicalId, queueArn, functionArn } = mapping;
    const plan = this.#plan.functions.get(functionArn);
    if (plan === undefined) throw new EngineError("ERR_REFERENCE", `${logicalId} names no function`);
    const queue = this.#queues.get(queueArn, logicalId);
    checkMapping(mapping, this.#plan, queue, plan);
    const { mappingStates } = this.#options;
    const reserved = this.#reservedOf(plan);
    const concurrencyOf = (maximum: number | undefined) =>
      Math.min(maximum ?? defaultConcurrency, reserved?.limit ?? Number.POSITIVE_INFINITY);
    const { isEnabled, maximumConcurrency } = mappingStates.get(mapping);
    const { region } = this.#plan;
    const concurrency = { maximumConcurrency: concurrencyOf(maximumConcurrency), reserved };
    const options = { ...mapping, isEnabled, ...concurrency, region, tell: this.#tell };
    const source = new EventSourceMapping(queue, this.#functionOptions(plan), options);
    this.#mappings.push(source);
    this.#managedMappings.push(new ManagedMapping(mapping, source, mappingStates, concurrencyOf));
  }

  #schedule(schedule: SchedulePlan): Schedule {
    const { region, accountId } = this.#plan;
    const { minuteMs, clock } = this.#options;
    const targets = schedule.functionArns.map((functionArn) => {
      const events = this.eventsOf(functionArn);
      if (events !== undefined && mayInvoke(this.#plan, "events.amazonaws.com", schedule.arn, functionArn)) {
        return (event: string) => events.accept(event);
      }
      const message = `${schedule.logicalId} invokes ${functionArn} without an AWS::Lambda::Permission for ${schedule.arn}: AWS would refuse it`;
      throw new EngineError("ERR_PERMISSION_MISSING", message);
    });
    return new Schedule(schedule, { minuteMs, region, accountId, clock }, targets);
  }

  #reservedOf({ arn, reservedConcurrency }: FunctionPlan): ReservedConcurrency | undefined {
    if (reservedConcurrency === undefined) return undefined;
    const reserved = this.#reserved.get(arn) ?? new ReservedConcurrency(reservedConcurrency);
    this.#reserved.set(arn, reserved);
    return reserved;
  }

  #functionOptions(plan: FunctionPlan): FunctionOptions {
    const { servicesEnvironment, onOutput } = this.#options;
    const environment = { ...lambdaEnvironment(plan), ...servicesEnvironment(), ...plan.environment };
    // One says whether the code loads; those of other sources cost as much to start, and 40 MB each.
    const startsWhenNeeded = this.#prepared.has(plan.arn);
    this.#prepared.add(plan.arn);
    return { ...plan, environment, startsWhenNeeded, onOutput: (line) => onOutput(plan.name, line) };
  }
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Reserved environment variables" */
function lambdaEnvironment({ name, memoryMb }: FunctionPlan): Readonly<Record<string, string>> {
  return {
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    TZ: ":UTC",
  };
}

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
