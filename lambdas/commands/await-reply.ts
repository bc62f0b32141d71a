import { setTimeout as sleep } from "node:timers/promises";
import { isEnded } from "../../scheme/command/command.ts";
import { readReply } from "../../scheme/command/command-message.ts";
import { deviceIdLevel, fillTemplate, type TopicTemplate } from "../../scheme/topic-template.ts";
import type { CommandPublisher, HeardMessage } from "../publish/command-publisher.ts";
import type { CommandRecord } from "../store/command-record.ts";
import type { CommandLedger } from "../store/commands.ts";
import type { ReplyWait } from "./commands.ts";
import { publishMs } from "./publish-to-brokers.ts";

export interface AwaitReplyOptions {
  readonly ledger: CommandLedger;
  readonly publishers: readonly CommandPublisher[];
  /** Of the replies. */
  readonly topic: TopicTemplate;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told why a broker's replies are not heard: the ledger has them a little later. */
  readonly onDeaf: (error: unknown) => void;
}

/** Between looks into the ledger: what arrives by way of the rule and `reply`, whichever broker the device is at. */
const lookMs = 1_000;

/** Most devices that are there have answered by then, and nobody has to look. */
const firstLookMs = 250;

/** Listens to a device's replies at every broker that can be listened to. */
export async function awaitReply(
  deviceId: string,
  commandId: string,
  { ledger, publishers, topic, now, onDeaf }: AwaitReplyOptions,
): Promise<ReplyWait> {
  const heard = Promise.withResolvers<CommandRecord>();
  const take = (message: HeardMessage) => {
    const reply = replyOf(message);
    if (reply?.commandId !== commandId) return;
    // Into the ledger first: who asks it after us sees no less than we do. The rule brings the same reply again.
    ledger.recordReply({ ...reply, deviceId, at: now() }).then((answer) => {
      if (answer.outcome !== "unknown") heard.resolve(answer.record);
    }, onDeaf);
  };
  const name = fillTemplate(topic, (level) => (level === deviceIdLevel ? deviceId : ""));
  const listenings = await Promise.all(
    publishers.map((publisher) => publisher.listen(name, take, { timeoutMs: publishMs }).catch(onDeaf)),
  );
  return {
    async answered(deadlineAt) {
      for (let pauseMs = firstLookMs; ; pauseMs = lookMs) {
        const remainingMs = deadlineAt - now();
        const over = new AbortController();
        const look = sleep(Math.min(pauseMs, remainingMs), undefined, { signal: over.signal }).catch(() => undefined);
        const told = await Promise.race([heard.promise, look]);
        over.abort();
        // A device can be quicker than the note of what it answers.
        if (told?.publishedAt !== undefined) return told;
        const record = await ledger.get(commandId);
        if (record?.reply !== undefined) return record;
        // Nobody answers what a newer command took the place of.
        if (record === undefined || isEnded(record.state) || now() >= deadlineAt) return undefined;
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(listenings.map((listening) => listening?.[Symbol.asyncDispose]()));
    },
  };
}

/** What others send to the topic, or a device sends wrongly, is `reply`'s to complain of. */
function replyOf(message: HeardMessage) {
  try {
    return readReply(message);
  } catch {
    return undefined;
  }
}
