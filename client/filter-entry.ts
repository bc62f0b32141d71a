import { topicMatcher } from "../scheme/topic-filter.ts";
import { ClientError } from "./client-error.ts";
import type { Qos } from "./client-options.ts";
import type { Message } from "./message.ts";

/** Somebody's interest in a filter. */
export interface Claim {
  readonly filter: string;
  readonly qos: Qos;
  /** Takes the filter's messages. Without it the claim only wants the filter to be subscribed to. */
  readonly take?: (message: Message) => void;
  /** Called once, when the broker has granted the subscription. */
  granted(): void;
  /** Called once, when there is no subscription any more, or there was none. */
  ended(error: ClientError): void;
}

/**
 * One filter, and all who want it. Its SUBSCRIBE packets are numbered: a claim that is there to take messages comes
 * with one of its own, since that is what makes the broker give the filter's retained messages (MQTT 5 §3.8.4). They
 * are for this claim, and not for those who had them: a claim takes retained messages from its own SUBSCRIBE on, until
 * the broker has acknowledged a later one.
 */
export class FilterEntry {
  readonly filter: string;
  /** Of the subscription, for brokers that say which one they give a message for. */
  readonly identifier: number;
  readonly matches: (topic: string) => boolean;
  /** The number of the SUBSCRIBE that each claim came with. */
  readonly #claims = new Map<Claim, number>();
  readonly #waiting = new Set<Claim>();
  #qos: Qos = 0;
  /** Of the SUBSCRIBE that was sent last. */
  #sent = 0;
  /** Of the newest one that the broker has answered, or never will. */
  #answered = 0;
  /** Of the newest one that it has granted on this connection; 0 for none. */
  #granted = 0;

  constructor(filter: string, identifier: number) {
    this.filter = filter;
    this.identifier = identifier;
    this.matches = matcherOf(filter);
  }

  /** The highest that was asked for. */
  get qos(): Qos {
    return this.#qos;
  }

  get isClaimed(): boolean {
    return this.#claims.size > 0;
  }

  /** Whether the broker may know of the filter. */
  get isSent(): boolean {
    return this.#sent > 0;
  }

  /** Adds a claim, which may be granted at once. @returns Whether a SUBSCRIBE is to be sent. */
  add(claim: Claim): boolean {
    const wantsMore = claim.qos > this.#qos;
    if (wantsMore) this.#qos = claim.qos;
    const isComing = this.#granted > 0 || this.#sent > this.#answered;
    const wantsPacket = claim.take !== undefined || wantsMore || !isComing;
    const number = wantsPacket ? this.#sent + 1 : this.#granted || this.#sent;
    this.#claims.set(claim, number);
    if (number <= this.#granted) claim.granted();
    else this.#waiting.add(claim);
    return wantsPacket;
  }

  /** Removes a claim. @returns Whether it was there. */
  delete(claim: Claim): boolean {
    this.#waiting.delete(claim);
    return this.#claims.delete(claim);
  }

  /** A SUBSCRIBE is being sent. @returns Its number. */
  send(): number {
    this.#sent += 1;
    return this.#sent;
  }

  /** The connection is another one: nothing is granted, and all claims depend on the next SUBSCRIBE. */
  reset(): void {
    this.#granted = 0;
    this.#answered = this.#sent;
    for (const claim of this.#claims.keys()) this.#claims.set(claim, this.#sent + 1);
  }

  grant(number: number): void {
    this.#answered = number;
    this.#granted = number;
    for (const claim of this.#waiting) {
      if ((this.#claims.get(claim) ?? 0) > number) continue;
      this.#waiting.delete(claim);
      claim.granted();
    }
  }

  /** Ends the claims that depend on a SUBSCRIBE that the broker has refused. */
  refuse(number: number, reasonCode: number): void {
    this.#answered = number;
    const error = new ClientError(
      "CLIENT_REFUSED",
      `the broker refuses a subscription to ${this.filter} (reason 0x${reasonCode.toString(16)})`,
      { reasonCode },
    );
    for (const [claim, own] of [...this.#claims]) {
      if (own > this.#granted && own <= number) this.#endOne(claim, error);
    }
  }

  end(error: ClientError): void {
    for (const claim of [...this.#claims.keys()]) this.#endOne(claim, error);
  }

  /** Those who take a message. */
  takersOf({ isRetained }: Message): readonly ((message: Message) => void)[] {
    const takers: ((message: Message) => void)[] = [];
    for (const [{ take }, number] of this.#claims) {
      if (take !== undefined && (!isRetained || number >= this.#granted)) takers.push(take);
    }
    return takers;
  }

  #endOne(claim: Claim, error: ClientError): void {
    if (this.delete(claim)) claim.ended(error);
  }
}

/** Whether a filter selects one topic only, by its own name. */
export function isExact(filter: string): boolean {
  return !/[+#]/.test(filter) && !filter.startsWith(sharedPrefix);
}

const sharedPrefix = "$share/";

/** As MQTT has it: `a/#` selects `a` too (MQTT 5 §4.7.1.2), and a shared subscription what comes behind its name (§4.8.2). */
function matcherOf(filter: string): (topic: string) => boolean {
  const own = filter.startsWith(sharedPrefix) ? filter.split("/").slice(2).join("/") : filter;
  const matches = topicMatcher(own);
  if (!own.endsWith("/#")) return matches;
  const matchesParent = topicMatcher(own.slice(0, -2));
  return (topic) => matches(topic) || matchesParent(topic);
}
