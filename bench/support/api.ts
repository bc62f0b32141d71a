import type { ApiBehaviour, ApiCommand, ApiReport, BehavingReport, LatencyReport, MessageRange } from "./api-server.ts";
import { Child } from "./child.ts";

/** The API under measurement, a process of its own. */
export class BenchApi implements AsyncDisposable {
  readonly url: string;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<BenchApi> {
    const child = Child.fork(new URL("./api-server.ts", import.meta.url), []);
    const { port } = await child.next<{ kind: "listening"; port: number }>("listening");
    return new BenchApi(child, port);
  }

  /** Forgets what it has seen. */
  begin(): void {
    this.#tell({ kind: "begin" });
  }

  report(): Promise<ApiReport> {
    return this.#ask<ApiReport>({ kind: "report" }, "report");
  }

  /** Milliseconds from publish to receipt, sorted. */
  async latencies(range: MessageRange = {}): Promise<Float64Array> {
    return (await this.#ask<LatencyReport>({ kind: "latencies", range }, "latencies")).latenciesMs;
  }

  /** Changes what it does, and gives the time since when it does so, in milliseconds since 1970. */
  async behave(behaviour: ApiBehaviour): Promise<number> {
    return (await this.#ask<BehavingReport>({ kind: "behave", behaviour }, "behaving")).at;
  }

  /** Waits until so many different messages have come, or none comes for a while. */
  async untilReceived(count: number, patienceMs: number): Promise<ApiReport> {
    for (let last = -1, lastAt = performance.now(); ; ) {
      const report = await this.report();
      if (report.distinct !== last) lastAt = performance.now();
      last = report.distinct;
      if (report.distinct >= count || performance.now() - lastAt > patienceMs) return report;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  #ask<T extends { readonly kind: string }>(command: ApiCommand, kind: T["kind"]): Promise<T> {
    const answer = this.#child.next<T>(kind);
    this.#tell(command);
    return answer;
  }

  #tell(command: ApiCommand): void {
    this.#child.process.send(command);
  }
}
