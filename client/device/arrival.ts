import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { CommandKind } from "../../scheme/command/command.ts";
import { readCommand } from "../../scheme/command/command-message.ts";
import { cutEnvelope, type Envelope } from "../../scheme/envelope/cut.ts";
import { isJson } from "../../scheme/is-json.ts";
import { MessageError } from "../../scheme/message-error.ts";
import { topicProblem } from "./topic.ts";

/** A command for its handler. */
export interface DeviceCommand {
  /** The command's id; one that is made of response topic and correlation data where a plain message has none. */
  readonly id: string;
  readonly kind: CommandKind;
  /** Of a state: greater is newer. */
  readonly version?: number;
  /** Milliseconds since 1970. */
  readonly issuedAt?: number;
  /** Milliseconds since 1970; past that nobody wants it any more. */
  readonly expiresAt?: number;
  readonly body: unknown;
  /** The body's JSON text as its author spelled it, for numbers that JavaScript would round. */
  readonly text: string;
}

/** Where an answer goes that is not for the replies topic (MQTT 5 §4.10). */
export interface ResponseAddress {
  readonly topic: string;
  readonly correlationData: Buffer;
}

/** What an arriving message has of the client's messages. */
export interface ArrivedMessage {
  readonly payload: Buffer;
  readonly userProperties?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Buffer | undefined;
}

/** What a message on the commands topic is. */
export type Arrival =
  | { readonly kind: "cleared" }
  | { readonly kind: "command"; readonly command: DeviceCommand; readonly address: ResponseAddress | undefined }
  | {
      readonly kind: "malformed";
      readonly error: MessageError;
      /** Undefined where nobody can be answered. */
      readonly commandId: string | undefined;
      readonly address: ResponseAddress | undefined;
    };

/**
 * Reads what arrived. A message with a response topic and correlation data that is no envelope of a command is a
 * command all the same: its payload is the body, and it is a request. So is an envelope that says only `commandId`,
 * as `Client.request` makes it for MQTT 3.1.1.
 */
export function readArrival(message: ArrivedMessage): Arrival {
  const { payload } = message;
  const address = readAddress(message);
  const envelope = findEnvelope(payload);
  const commandId = findCommandId(envelope);
  if (address !== undefined && commandId === undefined) return readPlain(message, address);
  if (payload.length === 0) return { kind: "cleared" };
  if (envelope?.header.length === 1 && commandId !== undefined) {
    return { kind: "command", command: commandOf(commandId, jsonOf(envelope), { kind: "request" }), address };
  }
  try {
    const { commandId: id, body, ...rest } = readCommand(payload);
    return { kind: "command", command: commandOf(id, body, rest), address };
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    return { kind: "malformed", error, commandId, address };
  }
}

/** A response topic with a wildcard is a fault of MQTT itself (§3.3.2.3.5): nobody can be answered there. */
function readAddress({ responseTopic, correlationData }: ArrivedMessage): ResponseAddress | undefined {
  if (responseTopic === undefined || correlationData === undefined) return undefined;
  return topicProblem(responseTopic) === undefined ? { topic: responseTopic, correlationData } : undefined;
}

function readPlain({ payload, userProperties = [] }: ArrivedMessage, address: ResponseAddress): Arrival {
  const id = userProperties.find(([name, value]) => name === "commandId" && isId(value))?.[1] ?? idOf(address);
  if (!isUtf8(payload)) {
    const error = new MessageError("PAYLOAD_NOT_UTF8", `the body of ${payload.length} bytes is not UTF-8`);
    return { kind: "malformed", error, commandId: id, address };
  }
  const content = payload.toString();
  const text = content === "" ? "null" : isJson(content) ? content : JSON.stringify(content);
  return { kind: "command", command: commandOf(id, text, { kind: "request" }), address };
}

function commandOf(id: string, text: string, rest: Omit<DeviceCommand, "id" | "body" | "text">): DeviceCommand {
  return { id, ...rest, body: JSON.parse(text), text };
}

/** One id for all that a broker delivers of one request: its sender tells its own requests apart by these two. */
function idOf({ topic, correlationData }: ResponseAddress): string {
  return `plain-${createHash("sha256").update(`${topic}\0`).update(correlationData).digest("base64url")}`;
}

function findEnvelope(payload: Buffer): Envelope | undefined {
  try {
    return cutEnvelope(payload);
  } catch {
    return undefined;
  }
}

/** The id in the header, whatever else may be wrong with the command. */
function findCommandId(envelope: Envelope | undefined): string | undefined {
  const id = envelope?.header.find(([name]) => name.toLowerCase() === "commandid")?.[1];
  return id !== undefined && isId(id) ? id : undefined;
}

/** An envelope's body as JSON text: bytes that it holds in base64 stay that. */
function jsonOf({ body, bodyKind }: Envelope): string {
  const bytes = Buffer.from(body);
  if (bodyKind === "json") return bytes.toString();
  return JSON.stringify(bytes.toString(bodyKind === "text" ? "utf8" : "base64"));
}

function isId(text: string): boolean {
  return /^[!-~]{1,128}$/.test(text);
}
