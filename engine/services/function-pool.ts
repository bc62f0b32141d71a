import { ExecutionEnvironment, type FunctionOptions, type Settle } from "./execution-environment.ts";
import { ProcessorWatch } from "./processors.ts";
import type { ReservedConcurrency } from "./reserved-concurrency.ts";

/** An invocation that somebody wants. */
export interface Work {
  /** JSON text. */
  readonly event: string;
  readonly settle: Settle;
}

/** Who has work for a function: its queue or its asynchronous events. */
export interface WorkSource {
  /** The next invocation, or undefined while there is none; the source wakes the pool when there is one again. */
  take(): Work | undefined;
}

/** How often a pool that is at its capacity looks whether another environment would help. */
const growthMs = 100;
/** Processors that have to be idle: with fewer, another thread would only share what there is, and compile it again. */
const wantedIdleProcessors = 0.5;
/** Threads that together take less of a processor wait for the network: another one costs the processors little. */
const waitingShare = 0.25;

/**
 * The execution environments that one source of a function's invocations uses, begun one at a time: another is started
 * while those there are wait for the network. Lambda shares environments between the sources of a function; keeping
 * them apart makes each source's concurrency limit a plain count. What a function reserves, its sources share.
 */
export class FunctionPool implements AsyncDisposable {
  readonly #options: FunctionOptions;
  readonly #source: WorkSource;
  readonly #reserved: ReservedConcurrency | undefined;
  #limit: number;
  readonly #environments: ExecutionEnvironment[] = [];
  #growth: NodeJS.Timeout | undefined;
  #isDisposed = false;

  /**
   * @param limit Environments at most: how many invocations run at one time.
   * @param reserved The function's, where it reserves concurrency for all its sources.
   */
  constructor(options: FunctionOptions, limit: number, source: WorkSource, reserved?: ReservedConcurrency) {
    this.#options = options;
    this.#limit = limit;
    this.#source = source;
    this.#reserved = reserved;
    reserved?.join(this);
    this.#grow();
  }

  /** Another limit from now on; invocations that run are let run. */
  setLimit(limit: number): void {
    this.#limit = limit;
    this.wake();
  }

  /** Resolves when the function's code is loaded; rejects when it cannot be. */
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
    for (const environment of this.#environments.slice(0, this.#limit)) {
      while (environment.canTake) {
        const work = this.#take();
        if (work === undefined) return;
        environment.invoke(work.event, work.settle);
      }
    }
    if (this.#environments.length < this.#limit && this.#growth === undefined) this.#watchForGrowth();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    clearTimeout(this.#growth);
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
    return { event: work.event, settle };
  }

  #grow(): void {
    this.#environments.push(new ExecutionEnvironment(this.#options, () => this.wake()));
  }

  /** From the moment that there is more work than is taken: the time before says nothing. */
  #watchForGrowth(): void {
    const processors = new ProcessorWatch();
    const busyShares = this.#environments.map((environment) => environment.measureBusyShare());
    this.#growth = setTimeout(() => {
      this.#growth = undefined;
      const isWaiting = busyShares.reduce((sum, busyShare) => sum + busyShare(), 0) < waitingShare;
      if (isWaiting || processors.idle >= wantedIdleProcessors) this.#growIfFull();
      this.wake();
    }, growthMs);
  }

  #growIfFull(): void {
    // One that still starts will take what waits; if its code does not load any more, another one's will not either.
    if (this.#environments.every(({ isStarted, canTake }) => isStarted && !canTake)) this.#grow();
  }
}
