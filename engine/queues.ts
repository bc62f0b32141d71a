import { EngineError } from "./engine-error.ts";
import { accountsOf } from "./ledger-accounts.ts";
import { Queue, type QueueConditions, type QueueOptions } from "./services/queue.ts";
import type { QueueStore } from "./services/queue-store.ts";
import type { FunctionPlan, Plan } from "./template/plan.ts";

/** Events in memory at most for each function: one may have 256 KiB, and Lambda lets them wait for hours. */
const eventWindowSize = 500;

/**
 * The queues of a plan, each with its redrive target and the ledger's account of its messages, and those that hold the
 * durable events of its functions.
 */
export class Queues implements Disposable {
  readonly #plan: Plan;
  readonly #store: QueueStore;
  readonly #conditions: QueueConditions | undefined;
  /** By the queue's ARN. */
  readonly #accounts: ReadonlyMap<string, string>;
  readonly #byArn = new Map<string, Queue>();
  readonly #byUrl = new Map<string, Queue>();
  readonly #events: Queue[] = [];

  constructor(plan: Plan, store: QueueStore, conditions?: QueueConditions) {
    this.#plan = plan;
    this.#store = store;
    this.#conditions = conditions;
    this.#accounts = accountsOf(plan);
  }

  /** Empty before `open`. */
  get byUrl(): ReadonlyMap<string, Queue> {
    return this.#byUrl;
  }

  /** Those with messages of devices: a dead-letter queue is no account's, and neither is one between functions. */
  get ofAccounts(): readonly Queue[] {
    return this.#all.filter(({ account }) => account !== undefined);
  }

  /**
   * Takes up what the queues hold.
   *
   * @throws {EngineError} for a redrive target that the template does not have.
   */
  open(): void {
    for (const { arn, url } of this.#plan.queues.values()) this.#byUrl.set(url, this.get(arn, "the template"));
  }

  /**
   * The queue of an ARN.
   *
   * @param at What names the queue, for people.
   * @throws {EngineError} `ERR_REFERENCE` where the template has none.
   */
  get(arn: string, at: string): Queue {
    const known = this.#byArn.get(arn);
    if (known !== undefined) return known;
    const plan = this.#plan.queues.get(arn);
    if (plan === undefined) throw new EngineError("ERR_REFERENCE", `${at} names ${arn}, no queue of the template`);
    const to = plan.redrive && this.get(plan.redrive.toArn, plan.logicalId);
    const redrive = plan.redrive && to && { to, maxReceiveCount: plan.redrive.maxReceiveCount };
    const queue = new Queue({ ...plan, redrive, account: this.#accounts.get(arn) }, this.#store, this.#conditions);
    this.#byArn.set(arn, queue);
    return queue;
  }

  /** Opens what holds a function's asynchronous events. They are no messages of SQS, and have none of its limits. */
  openEvents({ arn, name }: FunctionPlan): Queue {
    const unlimited = Number.POSITIVE_INFINITY;
    const options: QueueOptions = {
      // No queue of SQS has a space in its name.
      name: `events of ${name}`,
      arn,
      visibilityTimeoutMs: unlimited,
      retentionMs: unlimited,
      maximumMessageBytes: unlimited,
      redrive: undefined,
      account: this.#accounts.get(arn),
    };
    const conditions = { ...this.#conditions, inFlightLimit: unlimited, windowSize: eventWindowSize };
    const queue = new Queue(options, this.#store, conditions);
    this.#events.push(queue);
    return queue;
  }

  [Symbol.dispose](): void {
    for (const queue of this.#all) queue[Symbol.dispose]();
  }

  get #all(): readonly Queue[] {
    return [...this.#byArn.values(), ...this.#events];
  }
}
