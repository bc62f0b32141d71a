import type { AskerOptions, AskerReport, Task } from "../peers/asker.ts";
import { Child } from "../support/child.ts";
import type { Asker, Fleet } from "./way-to-ask.ts";

/** A process that asks. */
export class AskerProcess implements Asker {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** @param environment Variables beside those of this process. */
  static async start(
    options: AskerOptions & Fleet,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<AskerProcess> {
    const env = { ...process.env, ...environment };
    const child = Child.fork(new URL("../peers/asker.ts", import.meta.url), [JSON.stringify(options)], { env });
    await child.next("ready");
    return new AskerProcess(child);
  }

  async askAll(): Promise<number> {
    const { latencies, ms } = await this.#do({ kind: "all" });
    // A round trip that was not answered would have rejected in the asker.
    return latencies.length > 0 ? ms : Number.NaN;
  }

  async askInTurn(count: number): Promise<Float64Array> {
    return (await this.#do({ kind: "in turn", count })).latencies;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }

  #do(task: Task): Promise<AskerReport> {
    const report = this.#child.next<AskerReport>("report");
    this.#child.process.send(task);
    return report;
  }
}
