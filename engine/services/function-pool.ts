import { ExecutionEnvironment, type FunctionOptions, type Settle } from "./execution-environment.ts";
import { carefulGrowth, type PoolGrowth } from "./pool-growth.ts";
import { ProcessorWatch } from "./processors.ts";
import type { ReservedConcurrency } from "./reserved-concurrency.ts";

/** An invocation that somebody wants. */
export interface Work {
  /** JSON text. */
  readonly event: string;
  /** The same one where an event is tried again; one of the invocation's own by default. */
  readonly requestId?: string;
  readonly settle: Settle;
}

/** Who has work for a function: its queue or its asynchronous events. */
export interface WorkSource {
  /** The next invocation, or undefined while there is none; the source wakes the pool when there is one again. */
  take(): Work | undefined;
  /** Invocations that could be taken, where somebody waits for each of them. */
  readonly waiting?: number;
}

/**
 * The execution environments that one source of a function's invocations uses, begun by and by as its
 * [growth](./pool-growth.ts) says. Lambda shares environments between the sources of a function; keeping
 * them apart makes each source's concurrency limit a plain count. What a function reserves, its sources share.
 */
export class FunctionPool implements AsyncDisposable {
  readonly #options: FunctionOptions;
  readonly #source: WorkSource;
  readonly #reserved: ReservedConcurrency | undefined;
  readonly #growth: PoolGrowth;
  #limit: number;
  readonly #environments: ExecutionEnvironment[] = [];
  #growthTimer: NodeJS.Timeout | undefined;
  readonly #shrinkTimer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  /**
   * @param limit Environments at most: how many invocations run at one time.
   * @param reserved The function's, where it reserves concurrency for all its sources.
   */
  constructor(
    options: FunctionOptions,
    limit: number,
    source: WorkSource,
    reserved?: ReservedConcurrency,
    growth: PoolGrowth = carefulGrowth,
  ) {
    this.#options = options;
    this.#limit = limit;
    this.#source = source;
    this.#reserved = reserved;
    this.#growth = growth;
    reserved?.join(this);
    if (options.startsWhenNeeded !== true) this.#grow();
    const { unusedMs } = growth;
    if (unusedMs !== undefined) this.#shrinkTimer = setInterval(() => this.#shrink(unusedMs), unusedMs / 4).unref();
  }

  /** Whether no invocation could begin before another one ends, however many environments are started. */
  get isFull(): boolean {
    if (this.#reserved?.isUsedUp === true) return true;
    const isBusy = this.#environments.every(({ isStarted, canTake }) => isStarted && !canTake);
    return isBusy && this.#environments.length >= this.#limit;
  }

  /** Another limit from now on; invocations that run are let run. */
  setLimit(limit: number): void {
    this.#limit = limit;
    this.wake();
  }

  /** Resolves when the function's code is loaded, or its loading not begun; rejects when it cannot be. */
  async started(): Promise<void> {
    await this.#environments[0]?.started;
  }

  /** Resolves when no invocation runs. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#environments.map((environment) => environment.whenIdle()));
  }

  /** Takes from the source as much as can be run. */
  wake(): void {
    if (this.#isDisposed) return;
    if (this.#environments.length === 0) this.#grow();
    for (const environment of this.#environments.slice(0, this.#limit)) {
      while (environment.canTake) {
        const work = this.#take();
        if (work === undefined) return;
        environment.invoke(work.event, work.settle, work.requestId);
      }
    }
    if (this.#environments.length < this.#limit && this.#growthTimer === undefined) this.#watchForGrowth();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    clearTimeout(this.#growthTimer);
    clearInterval(this.#shrinkTimer);
    await Promise.all(this.#environments.map((environment) => environment[Symbol.asyncDispose]()));
  }

  #take(): Work | undefined {
    const reserved = this.#reserved;
    if (reserved === undefined) return this.#source.take();
    if (!reserved.enter()) return undefined;
    const work = this.#source.take();
    if (work === undefined) {
      reserved.cancel();
      return undefined;
    }
    const settle: Settle = (error, answer) => {
      work.settle(error, answer);
      reserved.leave(this);
    };
    return { ...work, settle };
  }

  #grow(): void {
    const environment = new ExecutionEnvironment(this.#options, () => this.wake());
    this.#environments.push(environment);
    // Where several start at one time and the processors are too busy for that, to try again would keep them so.
    if (this.#growth.atOnce > 1) environment.started.catch(() => this.#giveUp(environment));
  }

  /** The first one stays: it says what is wrong with the code, and tries again. */
  #giveUp(environment: ExecutionEnvironment): void {
    const index = this.#environments.indexOf(environment);
    if (index < 1) return;
    this.#environments.splice(index, 1);
    void environment[Symbol.asyncDispose]();
    this.wake();
  }

  /** From the moment that there is more work than is taken: the time before says nothing. */
  #watchForGrowth(): void {
    const processors = new ProcessorWatch();
    const started = this.#environments.filter(({ isStarted }) => isStarted);
    const busyShares = started.map((environment) => environment.measureBusyShare());
    this.#growthTimer = setTimeout(() => {
      this.#growthTimer = undefined;
      const busy = busyShares.reduce((sum, busyShare) => sum + busyShare(), 0);
      if (this.#growth.isWorthwhile(busy, processors.idle)) this.#growIfFull();
      this.wake();
    }, this.#growth.afterMs);
  }

  /** One that still starts will take what waits; if its code does not load any more, another one's will not either. */
  #growIfFull(): void {
    if (this.#environments.some(({ canTake }) => canTake)) return;
    const starting = this.#environments.filter(({ isStarted }) => !isStarted).length;
    const wanted = Math.min(this.#growth.atOnce, Math.max(1, this.#source.waiting ?? 1)) - starting;
    const room = this.#limit - this.#environments.length;
    for (let index = 0; index < Math.min(wanted, room); index++) this.#grow();
  }

  /** Work goes to the first that can take it, so that the last ones are those too many. */
  #shrink(unusedMs: number): void {
    for (let last = this.#environments.at(-1); last !== undefined; last = this.#environments.at(-1)) {
      if (this.#environments.length === 1 || last.idleMs < unusedMs) return;
      this.#environments.pop();
      void last[Symbol.asyncDispose]();
    }
  }
}
