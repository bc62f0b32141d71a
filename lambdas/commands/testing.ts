import { randomUUID } from "node:crypto";
import { readCommand } from "../../scheme/command/command-message.ts";
import { parseTopicTemplate, type TopicTemplate } from "../../scheme/topic-template.ts";
import type { CommandPublisher, HeardMessage, OutgoingMessage } from "../publish/command-publisher.ts";
import { PublishError } from "../publish/publish-error.ts";
import { BrokerMarks } from "../store/broker-marks.ts";
import { DueItems } from "../store/due-items.ts";
import { startTables } from "../store/testing.ts";
import type { CommandDraft } from "./commands.ts";
import { openCommands, openParts } from "./open-commands.ts";
import { sweep } from "./sweep.ts";

/** A broker that can be away and slow at the very moment that a test wants; the real ones are in `test/`. */
export class MemoryBroker implements CommandPublisher {
  readonly name: string;
  readonly published: OutgoingMessage[] = [];
  readonly retained = new Map<string, Uint8Array>();
  readonly #listeners = new Map<string, Set<(message: HeardMessage) => void>>();
  isAway = false;
  /** Awaited before a message is taken, and after it was, before it is acknowledged. */
  before: (message: OutgoingMessage) => unknown = () => undefined;
  after: (message: OutgoingMessage) => unknown = () => undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** The version of the retained command of a device; undefined where none is retained. */
  versionOf(deviceId: string): number | undefined {
    const payload = this.retained.get(`commands/${deviceId}`);
    return payload && readCommand(payload).version;
  }

  async publish(message: OutgoingMessage): Promise<void> {
    if (this.isAway) throw new PublishError("BROKER_UNREACHABLE", this.name, "connection refused");
    await this.before(message);
    this.published.push(message);
    const { topic, payload, isRetained } = message;
    if (isRetained && payload.length === 0) this.retained.delete(topic);
    else if (isRetained) this.retained.set(topic, payload);
    for (const listener of this.#listeners.get(topic) ?? []) listener({ topic, payload });
    await this.after(message);
  }

  async readRetained(topic: string): Promise<Uint8Array | undefined> {
    if (this.isAway) throw new PublishError("BROKER_UNREACHABLE", this.name, "connection refused");
    return this.retained.get(topic);
  }

  async listen(topic: string, onMessage: (message: HeardMessage) => void): Promise<AsyncDisposable> {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(onMessage));
    return { [Symbol.asyncDispose]: async () => void listeners.delete(onMessage) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isAway = true;
  }
}

/** Commands over a database of the test's own and brokers in memory, with a clock that can be put forward. */
export async function startCommands(...names: readonly string[]) {
  const { client, commands: table } = await startTables();
  const brokers = (names.length === 0 ? ["broker"] : names).map((name) => new MemoryBroker(name));
  const clock = { aheadMs: 0 };
  const now = () => Date.now() + clock.aheadMs;
  const scheme = { commands: { topic: template("commands/{deviceId}"), replies: template("replies/{deviceId}") } };
  const errors: string[] = [];
  const options = {
    client,
    table,
    publishers: brokers,
    scheme,
    now,
    onDeaf: (error: unknown) => errors.push(`${error}`),
  };
  const parts = openParts(options);
  const others = { marks: new BrokerMarks(client, table), dueItems: new DueItems(client, table) };
  return {
    ...{ brokers, broker: brokers[0] as MemoryBroker, clock, now, errors, parts, options },
    commands: openCommands(options),
    /** What the sweeper does after so many seconds. */
    sweepAfter: (seconds: number) => {
      clock.aheadMs += seconds * 1000;
      const onError = (error: unknown, subject: string) => errors.push(`${subject}: ${error}`);
      return sweep({ ...parts, ...others, deadlineAt: now() + 10_000, onError });
    },
    draft: (deviceId: string, more: Partial<CommandDraft> = {}): CommandDraft => ({
      ...{ id: commandId(now()), deviceId, kind: "state", body: '{"command":"track"}', issuedAt: now() },
      ...more,
    }),
  };
}

let sequence = 0;

/** An id that is in the order of its time, as a UUID of version 7 is. */
export function commandId(now: number): string {
  sequence += 1;
  return `${now.toString(16).padStart(12, "0")}-${sequence.toString(16).padStart(6, "0")}-${randomUUID().slice(0, 8)}`;
}

function template(source: string): TopicTemplate {
  const parsed = parseTopicTemplate(source);
  if ("code" in parsed) throw new Error(parsed.message);
  return parsed;
}
