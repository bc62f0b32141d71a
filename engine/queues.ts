import { EngineError } from "./engine-error.ts";
import { accountsOf } from "./ledger-accounts.ts";
import { Queue, type QueueConditions } from "./services/queue.ts";
import type { QueueStore } from "./services/queue-store.ts";
import type { Plan } from "./template/plan.ts";

/** The queues of a plan, each with its redrive target and the ledger's account of its messages. */
export class Queues implements Disposable {
  readonly #plan: Plan;
  readonly #store: QueueStore;
  readonly #conditions: QueueConditions | undefined;
  /** By the queue's ARN. */
  readonly #accounts: ReadonlyMap<string, string>;
  readonly #byArn = new Map<string, Queue>();
  readonly #byUrl = new Map<string, Queue>();

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
    return [...this.#byArn.values()].filter(({ account }) => account !== undefined);
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

  [Symbol.dispose](): void {
    for (const queue of this.#byArn.values()) queue[Symbol.dispose]();
  }
}
