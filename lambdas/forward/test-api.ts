import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { createServer as createTlsServer } from "node:tls";
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

/** A request as it came over a socket. */
export interface RawRequest {
  /** Request line and fields, without the empty line. */
  readonly head: string;
  readonly body: string;
}

export interface RawApi {
  readonly url: URL;
  /** Those that came to their end. */
  readonly requests: readonly RawRequest[];
  /** All that were made, closed or not. */
  readonly sockets: ReadonlySet<Socket>;
}

/** A server that does with the socket of each request what the test says; with a certificate, over TLS. */
export async function startRawApi(
  answer: (socket: Socket, request: RawRequest) => void,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<RawApi> {
  const requests: RawRequest[] = [];
  const sockets = new Set<Socket>();
  const accept = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // tests break connections
    readRequests(socket, (request) => {
      requests.push(request);
      answer(socket, request);
    });
  };
  const server = certificate === undefined ? createTcpServer(accept) : createTlsServer(certificate, accept);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const url = await listen(server);
  if (certificate !== undefined) url.protocol = "https:";
  return { url, requests, sockets };
}

/** Only what this project sends: bodies with a `content-length`, and no request before the answer to the one before. */
function readRequests(socket: Socket, take: (request: RawRequest) => void): void {
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
    const headLength = text.indexOf("\r\n\r\n");
    if (headLength < 0) return;
    const head = text.slice(0, headLength);
    const body = text.slice(headLength + 4);
    if (body.length < Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)) return;
    text = "";
    take({ head, body });
  });
}

async function listen(server: Server): Promise<URL> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
