import type * as z from "zod";
import type { PushOperationId } from "../../scheme/command/push-operations.ts";
import type { ProblemCode } from "./problems.ts";
import {
  listCommandsQuery,
  noQuery,
  publishBody,
  sendCommandBody,
  sendCommandQuery,
  sendCommandsBody,
} from "./request-schemas.ts";
import * as responses from "./response-schemas.ts";

/** What an operation answers when all is well. */
export interface AnswerDoc {
  readonly description: string;
  /** Undefined for what no schema of ours describes. */
  readonly schema: z.ZodType | undefined;
  /** The answer says where the command is. */
  readonly hasLocation?: boolean;
}

/** What the interface's document says of an operation. */
export interface OperationDoc {
  readonly summary: string;
  readonly description?: string;
  readonly query: z.ZodObject;
  readonly body?: z.ZodType;
  /** Whether a scheme without commands has it too. */
  readonly isAlwaysThere?: boolean;
  /** Whether it may change something, and so takes an `Idempotency-Key`. */
  readonly isKeyed: boolean;
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** Those of its own, beside those that every operation, or every one that takes a body or a key, has. */
  readonly problems: readonly ProblemCode[];
}

/** Any request may be answered so. */
export const commonProblems: readonly ProblemCode[] = [
  "NOT_FOUND",
  "METHOD_NOT_ALLOWED",
  "REQUEST_INVALID",
  "INTERNAL_ERROR",
];
export const bodyProblems: readonly ProblemCode[] = ["UNSUPPORTED_MEDIA_TYPE", "BODY_NOT_JSON", "PAYLOAD_TOO_LARGE"];
export const keyProblems: readonly ProblemCode[] = [
  "IDEMPOTENCY_KEY_INVALID",
  "IDEMPOTENCY_KEY_IN_USE",
  "IDEMPOTENCY_KEY_REUSED",
  "LEDGER_UNAVAILABLE",
];

/** Every operation of the endpoint. */
export const operationDocs: Readonly<Record<PushOperationId, OperationDoc>> = {
  sendCommand: {
    summary: "Send a command to a device",
    description:
      "The command is recorded, published to every broker, and sent again until the device has it. With `wait` the answer is the device's.",
    query: sendCommandQuery,
    body: sendCommandBody,
    isKeyed: true,
    answers: {
      200: { description: "The device has answered", schema: responses.command, hasLocation: true },
      202: { description: "The command is recorded", schema: responses.command, hasLocation: true },
    },
    problems: ["DEVICE_ID_INVALID", "EXPIRY_INVALID", "WAIT_INVALID", "REPLY_TIMEOUT"],
  },
  sendCommands: {
    summary: "Send a command to many devices",
    query: noQuery,
    body: sendCommandsBody,
    isKeyed: true,
    answers: {
      202: { description: "The commands of all devices are recorded", schema: responses.outcomes },
      207: { description: "Those of some devices are not: see their problems", schema: responses.outcomes },
    },
    // The first two only in outcomes, of devices that are none, or whose turn did not come.
    problems: ["DEVICE_ID_INVALID", "OUT_OF_TIME", "EXPIRY_INVALID", "TOO_MANY_TARGETS"],
  },
  getCommand: {
    summary: "Ask what has become of a command",
    query: noQuery,
    isKeyed: false,
    answers: { 200: { description: "The command", schema: responses.command } },
    problems: ["LEDGER_UNAVAILABLE"],
  },
  listCommands: {
    summary: "List a device's commands",
    description: "Newest first, about a second behind.",
    query: listCommandsQuery,
    isKeyed: false,
    answers: { 200: { description: "A page of commands", schema: responses.commandList } },
    problems: ["DEVICE_ID_INVALID", "LEDGER_UNAVAILABLE"],
  },
  getDevice: {
    summary: "Ask how a device is to be",
    query: noQuery,
    isKeyed: false,
    answers: { 200: { description: "The device, as far as its state commands say", schema: responses.device } },
    problems: ["DEVICE_ID_INVALID", "LEDGER_UNAVAILABLE"],
  },
  clearCommands: {
    summary: "Take back how a device is to be",
    description: "Clears the retained command at every broker; it counts as a version, newer than those before.",
    query: noQuery,
    isKeyed: true,
    answers: { 202: { description: "The clearing is recorded", schema: responses.device } },
    problems: ["DEVICE_ID_INVALID"],
  },
  publish: {
    summary: "Publish a message of a feed",
    description: "Subscribers get it as the body of an envelope whose header has `messageId` and `issuedAt`.",
    query: noQuery,
    body: publishBody,
    isAlwaysThere: true,
    isKeyed: true,
    answers: { 200: { description: "Every broker has acknowledged it", schema: responses.publication } },
    problems: ["TOPIC_INVALID", "TOPIC_FORBIDDEN", "BROKER_UNAVAILABLE"],
  },
  getOpenApi: {
    summary: "Get this document",
    query: noQuery,
    isAlwaysThere: true,
    isKeyed: false,
    answers: { 200: { description: "An OpenAPI 3.1 document", schema: undefined } },
    problems: [],
  },
};

/** All problems that an operation may answer. */
export function problemsOf({ body, isKeyed, problems }: OperationDoc): readonly ProblemCode[] {
  return [
    ...new Set([
      ...commonProblems,
      ...(body === undefined ? [] : bodyProblems),
      ...(isKeyed ? keyProblems : []),
      ...problems,
    ]),
  ];
}
