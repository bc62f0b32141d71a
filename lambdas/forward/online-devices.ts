import type { CommandLedger } from "../store/commands.ts";
import type { RoutedMessage } from "./to-request.ts";

export interface OnlineDevicesOptions {
  readonly ledger: Pick<CommandLedger, "openRequests">;
  /** Says that devices are online, ten at the most. */
  readonly announce: (deviceIds: readonly string[]) => Promise<void>;
  /** The ledger cannot be asked, or nobody told; both are tried again. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** How old the set of devices with open requests may be, and where it is large. */
const refreshMs = 5_000;
const largeRefreshMs = 60_000;
/**
 * How long a device is not announced again. Short, since an announcement right after a request was published comes to
 * nothing: that may be on its way still.
 */
const announcementIntervalMs = 10_000;
/** A message that is older says nothing of whether its device is online: it waited, in a backlog for instance. */
const longestAgeMs = 60_000;
/** Devices remembered at most until the ledger answers. */
const maxUnchecked = 1_000;
/** Most entries of an SQS batch. */
const announcedAtOnce = 10;
/** Longest that the end of an invocation waits: what connections that are made anew take on a small processor. */
const longestWaitMs = 500;

/**
 * Notices that a device is online by what it sends, and announces it where it has requests to answer.
 *
 * A message costs a look into a set. The set is read beside the requests to the API, and a device that is heard
 * meanwhile is looked up afterwards: an execution environment that was idle has an old set when a device's first
 * message wakes it, and there may be no second one for long.
 *
 * Lambda freezes what is under way when an invocation is answered, and lets it go on in the environment's next one,
 * which may be hours later or never come. Hence the end of an invocation waits for it (`settled`), although it is done by
 * then as a rule. It waits half a second at the most, and not again for five seconds where that was in vain: a ledger
 * that does not answer slows an environment down by a tenth at worst, and fails no message.
 */
export class OnlineDevices {
  readonly #options: OnlineDevicesOptions;
  readonly #now: () => number;
  #open: ReadonlySet<string> = new Set();
  /** Until when what was read last is believed, and until when the ledger is not asked again. */
  #currentUntil = 0;
  #askedUntil = 0;
  #wantsRead = false;
  /** Heard while the set was not current, and when. */
  readonly #unchecked = new Map<string, number>();
  readonly #toAnnounce = new Set<string>();
  readonly #announcedAt = new Map<string, number>();
  #work: Promise<void> | undefined;
  /** Until when no invocation waits, since one waited in vain. */
  #notWaitedUntil = 0;

  constructor(options: OnlineDevicesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Takes a device's message, as it was received first. */
  heard({ message, deviceId }: Pick<RoutedMessage, "message" | "deviceId">): void {
    const now = this.#now();
    if (now - message.receivedAt > longestAgeMs) return;
    if (now < this.#currentUntil) {
      if (this.#open.has(deviceId)) this.#found(deviceId, now);
      return;
    }
    this.#remember(deviceId, now);
    if (now < this.#askedUntil) return;
    this.#askedUntil = now + refreshMs;
    this.#wantsRead = true;
    this.#begin();
  }

  /** Resolves when nothing is under way any more, or half a second is over. Never rejects. */
  async settled(): Promise<void> {
    if (this.#work === undefined || this.#now() < this.#notWaitedUntil) return;
    const { promise: waited, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#notWaitedUntil = this.#now() + refreshMs;
      resolve();
    }, longestWaitMs);
    await Promise.race([this.#work, waited]);
    clearTimeout(timer);
  }

  #found(deviceId: string, now: number): void {
    if (now - (this.#announcedAt.get(deviceId) ?? 0) < announcementIntervalMs) return;
    this.#announcedAt.set(deviceId, now);
    this.#toAnnounce.add(deviceId);
    this.#begin();
  }

  #remember(deviceId: string, now: number): void {
    this.#unchecked.set(deviceId, now);
    if (this.#unchecked.size <= maxUnchecked) return;
    const [oldest = ""] = this.#unchecked.keys();
    this.#unchecked.delete(oldest);
  }

  #begin(): void {
    this.#work ??= this.#perform();
  }

  async #perform(): Promise<void> {
    await Promise.resolve(); // the batch's other messages are heard first
    while (this.#wantsRead || this.#toAnnounce.size > 0) {
      if (this.#wantsRead) await this.#read();
      else await this.#announceSome();
    }
    this.#work = undefined;
  }

  async #read(): Promise<void> {
    this.#wantsRead = false;
    const begunAt = this.#now();
    try {
      const { deviceIds, isLarge } = await this.#options.ledger.openRequests();
      this.#open = deviceIds;
      this.#currentUntil = begunAt + (isLarge ? largeRefreshMs : refreshMs);
    } catch (error) {
      this.#options.onError(error);
      return; // what was heard is looked up when the ledger answers
    }
    const now = this.#now();
    for (const [deviceId, at] of this.#announcedAt) {
      if (now - at >= announcementIntervalMs) this.#announcedAt.delete(deviceId);
    }
    for (const [deviceId, at] of this.#unchecked) {
      if (now - at <= longestAgeMs && this.#open.has(deviceId)) this.#found(deviceId, now);
    }
    this.#unchecked.clear();
  }

  async #announceSome(): Promise<void> {
    const deviceIds = [...this.#toAnnounce].slice(0, announcedAtOnce);
    for (const deviceId of deviceIds) this.#toAnnounce.delete(deviceId);
    try {
      await this.#options.announce(deviceIds);
    } catch (error) {
      this.#options.onError(error);
      for (const deviceId of deviceIds) {
        this.#announcedAt.delete(deviceId);
        this.#remember(deviceId, this.#now()); // and announced after the next look at the ledger
      }
    }
  }
}
