// The API under measurement: answers every request with 200, unless it is told otherwise, and notes when it came. A
// process of its own; it is told what to do, and tells what it has seen, by messages of its parent.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server does with requests from now on. */
export interface ApiBehaviour {
  /** Its port is closed, and so are its connections. */
  readonly isDown?: boolean;
  /** Milliseconds from a request's end to its answer. */
  readonly delayMs?: number;
  /** The status for requests whose path contains a text, the first that fits; 0 for none at all. */
  readonly statuses?: readonly (readonly [pathPart: string, status: number])[];
}

/** Which messages are wanted: by their number, and by when they were published in milliseconds since 1970. */
export interface MessageRange {
  readonly from?: number;
  /** Not included. */
  readonly to?: number;
  readonly sentSince?: number;
  readonly sentUntil?: number;
}

/** What the server has seen since it was last asked to begin, of requests that it answered with success. */
export interface ApiReport {
  readonly kind: "report";
  readonly requests: number;
  /** Different message numbers among them. */
  readonly distinct: number;
  /** Milliseconds since 1970 of the first and the last request; 0 before there was one. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Requests under way at one time, at the most: those with other answers too. */
  readonly mostAtOneTime: number;
}

/** Milliseconds from publish to receipt, one for each first receipt of a message, sorted. */
export interface LatencyReport {
  readonly kind: "latencies";
  readonly latenciesMs: Float64Array;
}

/** That a behaviour is in force. */
export interface BehavingReport {
  readonly kind: "behaving";
  /** Milliseconds since 1970. */
  readonly at: number;
}

export type ApiCommand =
  | { readonly kind: "begin" | "report" }
  | { readonly kind: "latencies"; readonly range: MessageRange }
  | { readonly kind: "behave"; readonly behaviour: ApiBehaviour };

const now = () => performance.timeOrigin + performance.now();

let behaviour: ApiBehaviour = {};
let seen = new Set<number>();
/** Of the first receipts, in their order. */
let received: { number: number[]; sentAt: number[]; at: number[] } = { number: [], sentAt: [], at: [] };
let requests = 0;
let firstAt = 0;
let lastAt = 0;
let underWay = 0;
let mostAtOneTime = 0;

const server = createServer((request, response) => {
  underWay += 1;
  mostAtOneTime = Math.max(mostAtOneTime, underWay);
  response.once("close", () => {
    underWay -= 1;
  });
  let body = "";
  request.setEncoding("latin1");
  request.on("data", (chunk: string) => {
    body += chunk;
  });
  request.on("end", () => {
    const status = statusFor(request);
    if (status === 0) return; // until the client closes the connection
    if (status === 200) note(body);
    answer(response, status);
  });
});

function statusFor({ url = "" }: IncomingMessage): number {
  return behaviour.statuses?.find(([pathPart]) => url.includes(pathPart))?.[1] ?? 200;
}

function answer(response: ServerResponse, status: number): void {
  response.statusCode = status;
  if (behaviour.delayMs === undefined) response.end();
  else setTimeout(() => response.end(), behaviour.delayMs);
}

/** The bodies are ours: `{"number":17,"at":1700000000000.25,…}`, also where a peer sends the whole envelope. */
function note(body: string): void {
  const match = /"number":\s*(\d+),\s*"at":\s*([\d.]+)/.exec(body);
  lastAt = now();
  if (requests === 0) firstAt = lastAt;
  requests += 1;
  const number = Number(match?.[1] ?? -1);
  if (seen.has(number)) return;
  seen.add(number);
  received.number.push(number);
  received.sentAt.push(Number(match?.[2]));
  received.at.push(lastAt);
}

const ever = Number.POSITIVE_INFINITY;

function latencies({ from = 0, to = ever, sentSince = 0, sentUntil = ever }: MessageRange): Float64Array {
  const isWanted = (number: number, sentAt: number) =>
    number >= from && number < to && sentAt >= sentSince && sentAt < sentUntil;
  const wanted = received.at.flatMap((at, index) => {
    const sentAt = received.sentAt[index] ?? Number.NaN;
    return isWanted(received.number[index] ?? Number.NaN, sentAt) ? [at - sentAt] : [];
  });
  return Float64Array.from(wanted).sort();
}

function begin(): void {
  seen = new Set();
  received = { number: [], sentAt: [], at: [] };
  requests = 0;
  firstAt = 0;
  lastAt = 0;
  mostAtOneTime = underWay;
}

function behave(wanted: ApiBehaviour): void {
  const wasDown = behaviour.isDown === true;
  behaviour = wanted;
  const done = () => tell({ kind: "behaving", at: now() });
  if (wanted.isDown === true && !wasDown) {
    server.close(done);
    server.closeAllConnections();
  } else if (wanted.isDown !== true && wasDown) {
    server.listen(port, "127.0.0.1", done);
  } else done();
}

function tell(report: ApiReport | LatencyReport | BehavingReport | { readonly kind: "listening"; port: number }): void {
  process.send?.(report);
}

process.on("message", (command: ApiCommand) => {
  switch (command.kind) {
    case "report":
      return tell({ kind: "report", requests, distinct: seen.size, firstAt, lastAt, mostAtOneTime });
    case "latencies":
      return tell({ kind: "latencies", latenciesMs: latencies(command.range) });
    case "behave":
      return behave(command.behaviour);
    case "begin":
      return begin();
    default:
      return command satisfies never;
  }
});
process.on("disconnect", () => process.exit());

let port = 0;
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  port = (server.address() as AddressInfo).port;
  tell({ kind: "listening", port });
});
