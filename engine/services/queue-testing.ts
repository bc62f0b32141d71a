import { cpSync } from "node:fs";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../testing.ts";
import { Queue, type QueueConditions, type QueueOptions } from "./queue.ts";
import { QueueStore } from "./queue-store.ts";

const day = 86_400_000;

/** A queue's attributes where a test does not care. */
export const queueOptions: QueueOptions = {
  name: "orders",
  arn: "arn:aws:sqs:us-east-1:000000000000:orders",
  visibilityTimeoutMs: 30_000,
  retentionMs: 14 * day,
  maximumMessageBytes: 1024,
  redrive: undefined,
};

/** Queues in one store, which ends with the test or before. */
export class TestQueues implements Disposable {
  readonly folder: string;
  readonly store: QueueStore;
  readonly #conditions: QueueConditions;
  readonly #queues: Queue[] = [];
  #isOpen = true;

  constructor(conditions: QueueConditions = {}, folder = temporaryFolder(), maximumBytes?: number) {
    this.folder = folder;
    this.store = new QueueStore(folder, maximumBytes);
    this.#conditions = conditions;
    onTestFinished(() => this[Symbol.dispose]());
  }

  open(rest: Partial<QueueOptions> = {}): Queue {
    const queue = new Queue({ ...queueOptions, ...rest }, this.store, this.#conditions);
    this.#queues.push(queue);
    return queue;
  }

  /** What `kill -9` would leave of the store right now, in a folder of its own. */
  crash(): string {
    const folder = temporaryFolder();
    cpSync(this.folder, folder, { recursive: true });
    return folder;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const queue of this.#queues) queue[Symbol.dispose]();
    this.store[Symbol.dispose]();
  }
}
