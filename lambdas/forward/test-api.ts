import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** A request as a test's API saw it. */
export interface SeenRequest {
  readonly method: string | undefined;
  /** Path and query as they stand on the request line. */
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface TestApi {
  readonly url: URL;
  readonly requests: readonly SeenRequest[];
}

/** An HTTP server on loopback that remembers its requests; it ends with the test. */
export async function startApi(
  answer: (response: ServerResponse, request: SeenRequest) => void = (response) => response.end("ok"),
): Promise<TestApi> {
  const requests: SeenRequest[] = [];
  const listener: RequestListener = (request, response) => {
    void buffer(request).then((body) => {
      const seen = { method: request.method, path: request.url, headers: request.headers, body };
      requests.push(seen);
      answer(response, seen);
    });
  };
  const server = createServer(listener);
  const url = await listen(server);
  onTestFinished(() => server.closeAllConnections());
  return { url, requests };
}

/** A server that does with each connection what the test says, once a request's head has come. */
export async function startRawApi(answer: (socket: Socket, requestNumber: number) => void): Promise<URL> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // tests break connections
    socket.on("data", () => {
      count += 1;
      answer(socket, count);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return await listen(server);
}

async function listen(server: Server): Promise<URL> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
