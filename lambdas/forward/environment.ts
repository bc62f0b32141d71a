import { type PowertoolsEnvironment, readCount, readVariable, type Variables } from "../read-variable.ts";

/** What every function that makes requests is deployed with; AWS adds its own. */
export interface RequestEnvironment extends PowertoolsEnvironment {
  /** Base of every request, without a slash at its end. */
  readonly API_URL: string;
  /** Requests of one invocation that are under way at one time; a direct invocation has only one. */
  readonly PARALLEL_REQUESTS: string;
  /** The ledger of commands; empty where there are none. */
  readonly COMMANDS_TABLE: string;
  /** Queue that tells `sweep` which devices are online; empty where there are no commands. */
  readonly ONLINE_QUEUE_URL: string;
}

/** The environment of `forward` where topic rules invoke it, for QoS 0. */
export interface DirectEnvironment extends RequestEnvironment {
  readonly LANE: "direct";
}

/** What a function is deployed with that writes down what becomes of messages. */
export interface StoreEnvironment extends RequestEnvironment {
  readonly DELIVERIES_TABLE: string;
  readonly DEAD_LETTERS_TABLE: string;
  /** Empty where no route keeps its messages. */
  readonly MESSAGES_TABLE: string;
}

/** The environment of `forward` where the topic rule of frames invokes it. */
export interface FramesEnvironment extends StoreEnvironment {
  readonly LANE: "frames";
  /** Where Lambda sends frames that the function failed with; the other queues are beside it. */
  readonly FRAMES_QUEUE_URL: string;
}

/** The environment of `forward` where queues feed it, for QoS 1. */
export interface QueueEnvironment extends StoreEnvironment {
  /** Which of the routes' queues: the topic rules' own, or those with what was attempted before. */
  readonly LANE: "fresh" | "retry";
  readonly CIRCUIT_QUEUE_URL: string;
  /** How long SQS can keep a message invisible from the end of an invocation on. */
  readonly MAXIMUM_DELAY_SECONDS: string;
}

interface RequestSettings {
  readonly apiUrl: URL;
  readonly parallelRequests: number;
  /** Undefined where nobody is told which devices are online. */
  readonly onlineEvents: OnlineEventSettings | undefined;
}

export interface OnlineEventSettings {
  readonly commandsTable: string;
  readonly queueUrl: string;
}

export interface DirectSettings extends RequestSettings {
  readonly lane: "direct";
}

export interface StoreSettings extends RequestSettings {
  readonly deliveriesTable: string;
  readonly deadLettersTable: string;
  /** Undefined where no route keeps its messages. */
  readonly messagesTable: string | undefined;
}

export interface FramesSettings extends StoreSettings {
  readonly lane: "frames";
  readonly framesQueueUrl: string;
}

export interface QueueSettings extends StoreSettings {
  readonly lane: "fresh" | "retry";
  readonly circuitQueueUrl: string;
  readonly maximumDelaySeconds: number;
}

/** What `forward` itself reads; the rest is for Powertools. */
export type ForwardSettings = DirectSettings | QueueSettings | FramesSettings;

/** Reads the environment once, when an execution environment starts. A missing or odd value names its variable. */
export function readEnvironment(variables: Variables): ForwardSettings {
  const lane = readVariable(variables, "LANE");
  if (lane === "direct") return { lane, ...readRequestSettings(variables) };
  if (lane === "fresh" || lane === "retry") return { ...readQueueSettings(variables), lane };
  if (lane === "frames") {
    return { lane, ...readStoreSettings(variables), framesQueueUrl: readVariable(variables, "FRAMES_QUEUE_URL") };
  }
  throw new Error(`LANE is '${lane}', not direct, fresh, retry or frames`);
}

/** Of a function that attempts messages from the retry queues, whoever takes them out. */
export function readQueueSettings(variables: Variables): Omit<QueueSettings, "lane"> {
  return {
    ...readStoreSettings(variables),
    circuitQueueUrl: readVariable(variables, "CIRCUIT_QUEUE_URL"),
    maximumDelaySeconds: readCount(variables, "MAXIMUM_DELAY_SECONDS"),
  };
}

function readStoreSettings(variables: Variables): StoreSettings {
  return {
    ...readRequestSettings(variables),
    deliveriesTable: readVariable(variables, "DELIVERIES_TABLE"),
    deadLettersTable: readVariable(variables, "DEAD_LETTERS_TABLE"),
    messagesTable: variables.MESSAGES_TABLE || undefined,
  };
}

function readRequestSettings(variables: Variables): RequestSettings {
  const apiUrl = URL.parse(readVariable(variables, "API_URL"));
  if (apiUrl === null) throw new Error(`API_URL is no URL: '${variables.API_URL}'`);
  const parallelRequests = readCount(variables, "PARALLEL_REQUESTS");
  return { apiUrl, parallelRequests, onlineEvents: readOnlineEvents(variables) };
}

function readOnlineEvents(variables: Variables): OnlineEventSettings | undefined {
  const queueUrl = variables.ONLINE_QUEUE_URL ?? "";
  return queueUrl === "" ? undefined : { queueUrl, commandsTable: readVariable(variables, "COMMANDS_TABLE") };
}
