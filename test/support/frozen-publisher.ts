import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("frozen-publisher-child.ts", import.meta.url));

/** A process with a publisher that can be frozen, as Lambda does between invocations; `await using` ends it. */
export class FrozenPublisher implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(options: { readonly url: string; readonly keepAliveSeconds: number }) {
    this.#child = fork(program, [options.url, String(options.keepAliveSeconds)]);
  }

  /** Resolves when the broker has the message. */
  async publish(topic: string, text: string): Promise<void> {
    const published = once(this.#child, "message");
    const ended = once(this.#child, "exit").then(() => Promise.reject(new Error("the publisher's process has ended")));
    this.#child.send({ topic, text });
    await Promise.race([published, ended]);
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    if (!this.#child.kill("SIGKILL")) return;
    await ended;
  }
}
