import { encodeFrame, memberBytes } from "../../scheme/frame/encode.ts";
import { type FrameMember, maxUnpackedBytes } from "../../scheme/frame/frame.ts";
import { basicIngestTopic } from "../../scheme/ingest.ts";
import type { Qos } from "../../scheme/scheme.ts";
import { maxPayloadBytes } from "../payload-limits.ts";
import { propertiesOf } from "./member.ts";
import type { Parcel } from "./parcel.ts";

/** How messages are gathered. */
export interface Batching {
  /** Messages of a frame at most; 100 is a frame's own limit. */
  readonly maxMessages: number;
  /** Milliseconds that the first message of a frame waits for others. */
  readonly delayMs: number;
}

/**
 * A message waits for a quarter of a second at most: 235 ms for others, and for its connection's turn, 11 ms after the publish
 * before it.
 */
export const defaultBatching: Batching = { maxMessages: 100, delayMs: 235 };

export interface BatcherOptions extends Batching {
  readonly qos: Qos;
  readonly framesTopic: string;
  readonly send: (parcel: Parcel) => void;
  /** Told of the members of each frame before it is sent. */
  readonly sealed: (members: readonly FrameMember[]) => void;
}

interface Gathered {
  readonly member: FrameMember;
  /** Of the topic rule that takes it where it has to go by itself. */
  readonly ruleName: string;
  readonly settle: Parcel["settle"];
}

/** How much of the newest frame's compression is believed. */
const learning = 0.2;

/** Gathers messages of one QoS into frames. */
export class Batcher implements Disposable {
  readonly #options: BatcherOptions;
  #gathered: Gathered[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Bytes of a frame for each byte that it holds, as the last ones had it. */
  #compression = 1;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  add(member: FrameMember, ruleName: string, settle: Parcel["settle"]): void {
    const bytes = memberBytes(member);
    if (this.#bytes + bytes > this.#room) this.flush();
    this.#gathered.push({ member, ruleName, settle });
    this.#bytes += bytes;
    if (this.#gathered.length >= this.#options.maxMessages) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#options.delayMs);
  }

  /** Sends what is gathered. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    this.#gathered = [];
    this.#bytes = 0;
    this.#options.sealed(gathered.map(({ member }) => member));
    this.#seal(gathered);
  }

  /** What is gathered is not sent, and settled by nobody. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#gathered = [];
  }

  /** What is likely to fit into a publish. */
  get #room(): number {
    return Math.min(maxUnpackedBytes, maxPayloadBytes / this.#compression);
  }

  /** What does not compress as well as the frames before is divided. */
  #seal(gathered: readonly Gathered[]): void {
    const { qos, framesTopic, send } = this.#options;
    const [first, second] = gathered;
    const size = gathered.reduce((sum, { member }) => sum + memberBytes(member), 0);
    const frame =
      size > maxUnpackedBytes ? undefined : encodeFrame({ qos, members: gathered.map((each) => each.member) });
    if (frame !== undefined) this.#compression += learning * (frame.length / size - this.#compression);
    if (frame !== undefined && frame.length <= maxPayloadBytes) {
      const settle: Parcel["settle"] = (outcome) => {
        for (const each of gathered) each.settle(outcome);
      };
      send({ topic: framesTopic, payload: frame, qos, messages: gathered.length, isUrgent: false, settle });
    } else if (first !== undefined && second === undefined) {
      send(aloneOf(first, qos));
    } else {
      const middle = Math.ceil(gathered.length / 2);
      this.#seal(gathered.slice(0, middle));
      this.#seal(gathered.slice(middle));
    }
  }
}

/**
 * A message by itself, on the Basic Ingest topic of its own rule: what IoT Core takes, and a frame would make larger than it
 * takes. Its idempotency key is then the queue's.
 */
export function aloneOf({ member, ruleName, settle }: Gathered, qos: Qos, isUrgent = false): Parcel {
  const topic = basicIngestTopic(ruleName, member.topic);
  return { topic, payload: member.payload, qos, properties: propertiesOf(member), messages: 1, isUrgent, settle };
}
