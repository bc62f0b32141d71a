import { createServer, type IncomingMessage } from "node:http";

export interface SampleApi extends AsyncDisposable {
  readonly url: string;
  /** Requests so far. */
  readonly received: number;
}

/** Lines a second at most: beyond, the rate says more than the requests. */
const maxLinesPerSecond = 10;
const shownBytes = 120;

/** An HTTP API that answers 204 to everything and prints what it receives. */
export async function startSampleApi(port: number, print: (line: string) => void): Promise<SampleApi> {
  let received = 0;
  let second = 0;
  let lines = 0;
  const server = createServer(async (request, response) => {
    const body = await readStart(request);
    received += 1;
    response.writeHead(204).end();
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) lines = 0;
    second = now;
    lines += 1;
    if (lines <= maxLinesPerSecond) print(`  api  ${request.method} ${request.url}  ${body}`);
  });
  // Longer than a client keeps an idle connection, so that none is closed under a request.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    get received() {
      return received;
    },
    [Symbol.asyncDispose]: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** The whole body is read, its start is text to show. */
async function readStart(request: IncomingMessage): Promise<string> {
  let start = Buffer.alloc(0);
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (start.length < shownBytes) start = Buffer.concat([start, chunk]);
  }
  return JSON.stringify(start.toString("utf8", 0, shownBytes))
    .slice(1, -1)
    .replaceAll('\\"', '"');
}
