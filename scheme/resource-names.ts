import { createHash } from "node:crypto";
import type { Scheme } from "./scheme.ts";

/** Names of what a scheme is deployed as, so that commands find it without asking CloudFormation. */
export interface ResourceNames {
  readonly stack: string;
  /** Table of what is under way: attempts of messages, state of routes, leases. */
  readonly deliveriesTable: string;
  readonly deadLettersTable: string;
  /** Table of kept messages; there only where a route keeps them. */
  readonly messagesTable: string;
  /** Ledger of commands; there only where there is something to publish. */
  readonly commandsTable: string;
  /** Queue that wakes the function `circuit`. */
  readonly circuitQueue: string;
  /** Queue of what other queues and topic rules gave up on, until the function `dead-letters` has recorded it. */
  readonly deadLetterQueue: string;
  /** Queue that the topic rule of devices' replies sends to, for the function `reply`. */
  readonly repliesQueue: string;
  /** Queue that Lambda sends the relay's frames to that their function failed with; there only where there is a relay. */
  readonly framesQueue: string;
  /** Queue that tells the function `sweep` which devices have come online. */
  readonly onlineQueue: string;
  /** Queue that a route's topic rule sends to. */
  freshQueue(route: string): string;
  /** Queue that a route's messages are in after their first attempt. */
  retryQueue(route: string): string;
}

export function resourceNames({ name, stage }: Pick<Scheme, "name" | "stage">): ResourceNames {
  const stack = `${name}-${stage}`;
  return {
    stack,
    deliveriesTable: `${stack}-deliveries`,
    deadLettersTable: `${stack}-dead-letters`,
    messagesTable: `${stack}-messages`,
    commandsTable: `${stack}-commands`,
    circuitQueue: `${stack}-circuit`,
    deadLetterQueue: `${stack}-dead-letters`,
    repliesQueue: `${stack}-replies`,
    framesQueue: `${stack}-frames`,
    onlineQueue: `${stack}-online`,
    freshQueue: (route) => queueName(`${stack}-route-${route}`),
    retryQueue: (route) => queueName(`${stack}-retry-${route}`),
  };
}

/** Longest name of an SQS queue. */
const maxQueueName = 80;

/** A name that is too long ends with a part of its hash instead. */
function queueName(name: string): string {
  if (name.length <= maxQueueName) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, maxQueueName - 9)}-${hash}`;
}
