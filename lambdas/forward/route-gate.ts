import type { RouteState } from "../store/route-states.ts";
import type { FailureCode } from "./failure.ts";
import { type OpeningReason, OutcomeWindow } from "./outcome-window.ts";
import { classify } from "./policy.ts";

/** Where the states of routes are kept, for all execution environments together. */
export interface RouteStateStore {
  read(route: string): Promise<RouteState>;
  /** Whether this call opened it. `probeAt`: when it may first be tried again, in milliseconds since 1970. */
  open(route: string, opening: { readonly reason: string; readonly probeAt: number }): Promise<boolean>;
  hold(route: string, until: number): Promise<void>;
  holdDevice(route: string, deviceId: string, kind: "waiting" | "slow", until: number): Promise<void>;
  noteSuccess(route: string, at: number): Promise<void>;
}

/** Which of a route's two queues messages come from: `fresh` before, `retry` after their first receive. */
export type Lane = "fresh" | "retry";

export interface RouteGateOptions {
  readonly states: RouteStateStore;
  readonly lane: Lane;
  /** Tells the function `circuit` that the route's circuit was opened just now. */
  readonly announce: (route: string, opening: Opening) => Promise<void>;
  /** The store of states cannot be reached: what is known is kept meanwhile. */
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
  readonly random: () => number;
  /** From a message's first attempt to its second, 5 by default: how soon an open circuit is tried again follows it. */
  readonly firstDelaySeconds?: number | undefined;
}

/** Why a circuit was opened: what the window found, or an API that wants to be left alone for long. */
export interface Opening {
  readonly reason: OpeningReason | "RETRY_AFTER";
  /** Of the failure that decided. */
  readonly code: FailureCode;
}

/** Of a failed request, what the gate wants to know. */
export interface GateFailure {
  readonly deviceId: string;
  readonly code: FailureCode;
  /** What the answer's `Retry-After` says, if it does. */
  readonly retryAfterMs: number | undefined;
  /** Whether it was the message's first attempt: only these stand for all the route's messages. */
  readonly isFirst: boolean;
}

/** How old a known state may be before it is read again, and before nothing is attempted without reading it. */
const refreshMs = 1_000;
const staleMs = 10_000;
/**
 * The same while the circuit is open: a fresh message that is given back after it was closed has the whole backlog
 * before it.
 */
const openRefreshMs = 100;
/** How long no environment writes again that a route succeeds. */
const successIntervalMs = 10_000;
/** So long after a success others are taken to succeed still: until the next one is written, and read. */
const othersSucceedMs = 1.5 * successIntervalMs;
/**
 * Longest `Retry-After` that messages are simply put off for; a longer one opens the circuit until then. What is put off
 * is in flight for SQS, 120,000 messages at most: 30 s of 4,000 a second.
 */
const longestHoldMs = 30_000;
const defaultFirstDelaySeconds = 5;
/** How long a circuit stays open at least, in first delays: 10 s by default. */
const leastOpenDelays = 2;
/** A success of another device in this time makes a 429 the device's own. */
const ownLimitMs = 60_000;
/** For how long a device waits that was answered 429 without a word on how long. */
const ownHoldMs = 5_000;
/** For how long a slow device's messages leave the fresh lane. */
const slowHoldMs = 60_000;
/** A request is slow after a second where others take less than a tenth of that. */
const slowMs = 1_000;
/** After a circuit closes or a hold is over, requests at one time double in this time, from one on. */
const rampStepMs = 2_000;
/** How long a message waits which the retry lane was handed although the circuit is open, in first delays: 30 s. */
const openDelays = 6;
/** How long a message is put off at the most: SQS cannot for the twelve hours that a device may have to wait. */
const longestDelaySeconds = 3_600;

/**
 * Knows of one route whether a message may be attempted now, in one execution environment: what this environment has
 * seen, and what the others wrote down.
 */
export class RouteGate {
  readonly #route: string;
  readonly #options: RouteGateOptions;
  readonly #window = new OutcomeWindow();
  #state: RouteState | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  /** Writes that have begun; Lambda stops the process when an invocation ends. */
  readonly #writes = new Set<Promise<void>>();
  /** Opened by this environment: what is read may be older than that. */
  #openUntil = 0;
  #holdUntil = 0;
  readonly #waiting = new Map<string, number>();
  readonly #slow = new Map<string, number>();
  #lastSuccess: { readonly deviceId: string; readonly at: number } | undefined;
  #lastLimited: { readonly deviceId: string; readonly at: number } | undefined;
  #successNotedAt = Number.NEGATIVE_INFINITY;
  /** Running average of what a successful request takes. */
  #durationMs = 0;

  constructor(route: string, options: RouteGateOptions) {
    this.#route = route;
    this.#options = options;
  }

  /**
   * Reads what the others know where that is older than a second; waits for it only where it is much older, or where
   * nothing is attempted before the circuit is known to be closed.
   */
  async refresh(): Promise<void> {
    const age = this.#options.now() - this.#readAt;
    if (age < (this.#isOpen ? openRefreshMs : refreshMs)) return;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    if (this.#isOpen || age >= staleMs) await this.#reading;
    else this.#track(this.#reading);
  }

  /** Seconds that a device's message has to wait unattempted; undefined where it may go. */
  delaySeconds(deviceId: string): number | undefined {
    const { now, lane, random } = this.#options;
    const state = this.#state;
    // In the fresh lane no time at all: the message moves to the retry queue, where all of them wait.
    if (this.#isOpen) return lane === "fresh" ? 0 : Math.ceil(openDelays * this.#firstDelaySeconds * (1 + random()));
    const until = Math.max(this.#heldUntil, this.#waiting.get(deviceId) ?? 0, state?.waitingDevices.get(deviceId) ?? 0);
    // A little later each, so that they do not all come at once.
    const heldSeconds = Math.ceil(((until - now()) * (1 + random() / 10)) / 1000);
    if (heldSeconds > 0) return Math.min(heldSeconds, longestDelaySeconds);
    const slowUntil = Math.max(this.#slow.get(deviceId) ?? 0, state?.slowDevices.get(deviceId) ?? 0);
    return lane === "fresh" && slowUntil > now() ? 0 : undefined;
  }

  /** Requests that may be under way at one time: few at first after an outage. */
  parallelRequests(configured: number): number {
    const elapsedMs = this.#options.now() - Math.max(this.#state?.closedAt ?? 0, this.#heldUntil);
    const doublings = Math.floor(Math.max(0, elapsedMs) / rampStepMs);
    return doublings > 10 ? configured : Math.min(configured, 2 ** doublings);
  }

  /** Whether the route has had a success after a time in milliseconds since 1970, as far as is known. */
  hasSucceededSince(at: number): boolean {
    return Math.max(this.#lastSuccess?.at ?? 0, this.#state?.lastSuccessAt ?? 0) > at;
  }

  success(deviceId: string, isFirst: boolean, durationMs: number): void {
    const at = this.#options.now();
    if (isFirst) this.#window.note(deviceId, "success");
    this.#lastSuccess = { deviceId, at };
    this.#durationMs = this.#durationMs === 0 ? durationMs : this.#durationMs * 0.9 + durationMs * 0.1;
    if (at - this.#successNotedAt < successIntervalMs) return;
    this.#successNotedAt = at;
    this.#write(this.#options.states.noteSuccess(this.#route, at));
  }

  failure(failure: GateFailure): void {
    const { deviceId, code, retryAfterMs, isFirst } = failure;
    const kind = classify(code);
    if (kind === "message") return; // the endpoint is well
    if (code === "TIMEOUT") this.noteDuration(deviceId, Number.POSITIVE_INFINITY);
    if (code === "HTTP_429" && this.#isOwnLimit(deviceId)) {
      this.#holdDevice(deviceId, retryAfterMs);
      return;
    }
    if (retryAfterMs !== undefined) this.#hold(retryAfterMs, code);
    if (!isFirst || this.#isOwnSlowness(code)) return;
    const reason = this.#window.note(deviceId, kind);
    if (reason !== undefined) this.#open({ reason, code }, this.#options.now() + this.#leastOpenMs);
  }

  /** Takes how long a device's request has taken so far. A slow one's further messages leave the fresh lane. */
  noteDuration(deviceId: string, durationMs: number): void {
    const isSlow = durationMs >= slowMs && this.#durationMs > 0 && this.#durationMs < slowMs / 10;
    const { now, states } = this.#options;
    if (!isSlow || (this.#slow.get(deviceId) ?? 0) > now()) return;
    const until = now() + slowHoldMs;
    remember(this.#slow, deviceId, until, now());
    this.#write(states.holdDevice(this.#route, deviceId, "slow", until));
  }

  /** Resolves when everything that was to be written down is. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes);
  }

  get #isOpen(): boolean {
    return this.#openUntil > this.#options.now() || this.#state?.isOpen === true;
  }

  get #heldUntil(): number {
    return Math.max(this.#holdUntil, this.#state?.holdUntil ?? 0);
  }

  async #read(): Promise<void> {
    const { states, now, onError } = this.#options;
    try {
      this.#state = await states.read(this.#route);
    } catch (error) {
      onError(error);
    }
    this.#readAt = now();
  }

  /**
   * Whether a first attempt took too long while others succeed. In the retry lane such are the messages of slow devices,
   * which were sent there for it: they are among themselves, and say nothing of the endpoint.
   */
  #isOwnSlowness(code: FailureCode): boolean {
    const { lane, now } = this.#options;
    return code === "TIMEOUT" && lane === "retry" && this.hasSucceededSince(now() - othersSucceedMs);
  }

  /** Whether only this device is asked to slow down: another one has succeeded after another one was last asked to. */
  #isOwnLimit(deviceId: string): boolean {
    const at = this.#options.now();
    const success = this.#lastSuccess;
    const isOthersWell = success !== undefined && success.deviceId !== deviceId && at - success.at < ownLimitMs;
    const limited = this.#lastLimited;
    const isAlone = limited === undefined || limited.deviceId === deviceId || (success?.at ?? 0) > limited.at;
    this.#lastLimited = { deviceId, at };
    return isOthersWell && isAlone;
  }

  #holdDevice(deviceId: string, retryAfterMs = ownHoldMs): void {
    const { now, states } = this.#options;
    const until = now() + retryAfterMs;
    remember(this.#waiting, deviceId, until, now());
    this.#write(states.holdDevice(this.#route, deviceId, "waiting", until));
  }

  #hold(retryAfterMs: number, code: FailureCode): void {
    const { now, states } = this.#options;
    const until = now() + retryAfterMs;
    if (retryAfterMs > longestHoldMs) {
      this.#open({ reason: "RETRY_AFTER", code }, until);
    } else if (until > this.#heldUntil) {
      this.#holdUntil = until;
      this.#write(states.hold(this.#route, until));
    }
  }

  #open(opening: Opening, probeAt: number): void {
    if (this.#isOpen) return;
    const { states, announce, now } = this.#options;
    this.#openUntil = now() + this.#leastOpenMs;
    this.#window.clear();
    const write = async () => {
      const isFirst = await states.open(this.#route, { reason: `${opening.reason} ${opening.code}`, probeAt });
      if (isFirst) await announce(this.#route, opening);
    };
    this.#write(write());
  }

  get #firstDelaySeconds(): number {
    return this.#options.firstDelaySeconds ?? defaultFirstDelaySeconds;
  }

  get #leastOpenMs(): number {
    return leastOpenDelays * this.#firstDelaySeconds * 1000;
  }

  #write(write: Promise<void>): void {
    this.#track(write.catch(this.#options.onError));
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.#writes.delete(tracked));
    this.#writes.add(tracked);
  }
}

/** Devices remembered at most, in this environment. */
const maxDevices = 1_000;

function remember(devices: Map<string, number>, deviceId: string, until: number, now: number): void {
  devices.set(deviceId, until);
  if (devices.size <= maxDevices) return;
  for (const [id, end] of devices) if (end <= now || devices.size > maxDevices) devices.delete(id);
}
