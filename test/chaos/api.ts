import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type Fleet, numberIn } from "./fleet.ts";
import type { Progress } from "./progress.ts";
import type { Tally } from "./tally.ts";

export interface CountingApi extends AsyncDisposable {
  readonly url: string;
}

/** An HTTP API that answers 204 to everything and counts the fleet's messages. */
export async function startCountingApi(fleet: Fleet, tally: Tally, progress: Progress): Promise<CountingApi> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("latin1");
    request.on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      count(request, body, fleet, tally);
      response.writeHead(204).end();
      progress.advance();
    });
  });
  // Longer than a client keeps an idle connection, so that none is closed under a request.
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** A request that says something else than its message is no delivery. */
function count({ headers }: IncomingMessage, body: string, fleet: Fleet, tally: Tally): void {
  const number = numberIn(body);
  const key = headers["idempotency-key"];
  if (number === undefined || number >= tally.messages || typeof key !== "string") {
    tally.unexpected += 1;
    return;
  }
  const { deviceId, topic, idempotencyKey = key } = fleet.message(number);
  const isAsSent = headers["x-device-id"] === deviceId && headers["x-mqtt-topic"] === topic && key === idempotencyKey;
  if (isAsSent) tally.receive({ number, idempotencyKey: key });
  else tally.unexpected += 1;
}
