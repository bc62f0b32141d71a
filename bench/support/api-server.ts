// The API under measurement: answers every request with 200 and notes when it came. A process of its own; it is told
// what to do, and tells what it has seen, by messages of its parent.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server has seen since it was last asked to begin. */
export interface ApiReport {
  readonly kind: "report";
  readonly requests: number;
  /** Different message numbers among them. */
  readonly distinct: number;
  /** Milliseconds since 1970 of the last request. */
  readonly lastAt: number;
}

/** Milliseconds from publish to receipt, one for each first receipt of a message, sorted. */
export interface LatencyReport {
  readonly kind: "latencies";
  readonly latenciesMs: Float64Array;
}

export interface ApiCommand {
  readonly kind: "begin" | "report" | "latencies";
}

const now = () => performance.timeOrigin + performance.now();

let seen = new Set<number>();
let requests = 0;
let lastAt = 0;
let latenciesMs: number[] = [];

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("latin1");
  request.on("data", (chunk: string) => {
    body += chunk;
  });
  request.on("end", () => {
    note(body);
    response.end();
  });
});

/** The bodies are ours: `{"number":17,"at":1700000000000.25,…}`, also where a peer sends the whole envelope. */
function note(body: string): void {
  const match = /"number":\s*(\d+),\s*"at":\s*([\d.]+)/.exec(body);
  lastAt = now();
  requests += 1;
  const number = Number(match?.[1] ?? -1);
  if (seen.has(number)) return;
  seen.add(number);
  latenciesMs.push(lastAt - Number(match?.[2]));
}

process.on("message", ({ kind }: ApiCommand) => {
  if (kind === "report") {
    process.send?.({ kind, requests, distinct: seen.size, lastAt } satisfies ApiReport);
  } else if (kind === "latencies") {
    process.send?.({ kind, latenciesMs: Float64Array.from(latenciesMs).sort() } satisfies LatencyReport);
  } else {
    seen = new Set();
    requests = 0;
    latenciesMs = [];
  }
});
process.on("disconnect", () => process.exit());

server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () =>
  process.send?.({ kind: "listening", port: (server.address() as AddressInfo).port }),
);
