import { once } from "node:events";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { type Answer, ApiConnection, maxAnswerBytes } from "./send.ts";
import { startApi, startRawApi } from "./test-api.ts";
import { selfSignedCertificate } from "./test-certificate.ts";

const request = { method: "POST", path: "/v1/x", headers: ["content-type", "text/plain"], body: Buffer.from("hello") };

function connect(url: URL, timeoutMs = 5_000, connections = 1): ApiConnection {
  const connection = new ApiConnection(url, { connections, timeoutMs });
  onTestFinished(() => connection[Symbol.asyncDispose]());
  return connection;
}

/** The answer in short: its status, or why there is none. */
function summary(answer: Answer): number | string {
  return answer.kind === "response" ? answer.status : answer.code;
}

test.for([200, 201, 204, 302, 404, 429, 500, 503])(
  "gives status %i, which is the caller's to judge",
  async (status) => {
    const api = await startApi((response) => {
      response.writeHead(status, { location: "/elsewhere" });
      response.end();
    });
    expect(await connect(api.url).send(request)).toMatchObject({ kind: "response", status, isTruncated: false });
    expect(api.requests).toHaveLength(1); // no redirect followed, no second try
    expect(api.requests[0]).toMatchObject({ method: "POST", path: "/v1/x", body: request.body });
  },
);

test("keeps the connection for the next request", async () => {
  const ports = new Set<number | undefined>();
  const api = await startApi((response) => {
    ports.add(response.socket?.remotePort);
    response.end();
  });
  const connection = connect(api.url);
  for (let count = 0; count < 5; count += 1) await connection.send(request);
  expect(ports.size).toBe(1);
});

test("reads a compressed answer as it stands", async () => {
  const api = await startApi((response) => {
    response.writeHead(200, { "content-encoding": Array(1000).fill("gzip").join(",") });
    response.end("not really");
  });
  expect(await connect(api.url).send(request)).toMatchObject({ status: 200, body: Buffer.from("not really") });
});

function* megabytes(bytes: number): Generator<Buffer> {
  const megabyte = Buffer.alloc(1024 * 1024, "x");
  for (let left = bytes; left > 0; left -= megabyte.length) yield megabyte.subarray(0, left);
}

test.for([
  ["16 KiB are read", 16 * 1024, 16 * 1024, false],
  ["of one byte more, 16 KiB", 16 * 1024 + 1, 16 * 1024, true],
  ["of 100 MB, 16 KiB", 100 * 1024 * 1024, 16 * 1024, true],
] as const)("reads an answer's beginning: %s", async ([, bytes, read, isTruncated]) => {
  let written = 0;
  const api = await startApi((response) => {
    Readable.from(megabytes(bytes))
      .on("data", (chunk) => (written += chunk.length))
      .pipe(response);
  });
  const answer = await connect(api.url).send(request);
  expect(answer).toMatchObject({ kind: "response", status: 200, isTruncated });
  expect(answer.kind === "response" && answer.body.length).toBe(read);
  expect(read).toBeLessThanOrEqual(maxAnswerBytes);
  // What the sockets hold on both sides, and no more, was ever written.
  if (bytes > 1e8) expect(written).toBeLessThan(20 * 1024 * 1024);
});

test.for([
  [
    "interim answers are skipped",
    "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    200,
  ],
  ["the status stands, though the body breaks off", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 200],
  ["so does a refusal's", "HTTP/1.1 422 No\r\nContent-Length: 10\r\n\r\nabc", 422],
  ["no HTTP", "garbage\r\n\r\n", "RESPONSE_INVALID"],
  ["no status of HTTP", "HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n", "RESPONSE_INVALID"],
  ["1 MiB of header", `HTTP/1.1 200 OK\r\nx-a: ${"a".repeat(1024 * 1024)}\r\n\r\n`, "RESPONSE_INVALID"],
  ["closed without an answer", "", "CONNECTION"],
] as const)("takes an answer as a server may give it: %s", async ([, raw, expected]) => {
  const { url } = await startRawApi((socket) => socket.end(raw));
  expect(summary(await connect(url).send(request))).toBe(expected);
});

test("tells a connection that was reset", async () => {
  const { url } = await startRawApi((socket) => socket.resetAndDestroy());
  expect(summary(await connect(url).send(request))).toBe("CONNECTION");
});

test("tells a connection that was refused", async () => {
  const answer = await connect(new URL("http://127.0.0.1:1")).send(request); // tcpmux: nobody has that any more
  expect(answer).toMatchObject({ kind: "failure", code: "CONNECTION", cause: { code: "ECONNREFUSED" } });
});

/** Writes a byte every 20 ms. */
async function drip(socket: Socket, text: string): Promise<void> {
  for (const letter of text) {
    if (socket.destroyed) return;
    socket.write(letter);
    await delay(20);
  }
}

const slowBody = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";

test.for([
  ["nothing comes", "", "", "TIMEOUT"],
  ["the head comes by bytes", "", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(1000)}`, "TIMEOUT"],
  ["the body comes by bytes: the status has decided", slowBody, "z".repeat(1000), 200],
] as const)("ends at the deadline, %s", async ([, atOnce, byBytes, expected]) => {
  const { url } = await startRawApi((socket) => {
    socket.write(atOnce);
    void drip(socket, byBytes);
  });
  const connection = connect(url, 300);
  const start = performance.now();
  expect(summary(await connection.send(request))).toBe(expected);
  expect(performance.now() - start).toBeGreaterThanOrEqual(295);
  expect(performance.now() - start).toBeLessThan(1_500);
});

test("does not send what waited for a connection until its deadline", async () => {
  const api = await startApi((response) => setTimeout(() => response.end(), 500));
  const connection = connect(api.url, 300, 1);
  const answers = await Promise.all([connection.send(request), connection.send(request)]);
  expect(answers.map(summary)).toEqual(["TIMEOUT", "TIMEOUT"]);
  await delay(400);
  expect(api.requests).toHaveLength(1);
});

test.for([
  ["signed by nobody known", "127.0.0.1"],
  ["for another host", "elsewhere.example"],
] as const)("refuses a certificate %s", async ([, host]) => {
  const server = createTlsServer(await selfSignedCertificate(host), (_, response) => response.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(summary(await connect(url).send(request))).toBe("TLS_INVALID");
});

test("does not write to what the API closed while the process stood still", async () => {
  // A server of its own thread, which goes on while this one stands still as between two invocations.
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const server = require("node:net").createServer((socket) => {
       socket.on("error", () => {});
       socket.on("data", () => {
         socket.write("HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n");
         setTimeout(() => socket.destroy(), 200);
       });
     }).listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));`,
    { eval: true },
  );
  onTestFinished(() => void worker.terminate());
  const [port] = await once(worker, "message");
  const connection = connect(new URL(`http://127.0.0.1:${port}`));
  expect(summary(await connection.send(request))).toBe(200);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_200);
  expect(summary(await connection.send(request))).toBe(200);
});
