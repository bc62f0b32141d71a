import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** An HTTP server on loopback that answers with the status that the test says; it ends with the test. */
export interface ScriptedApi {
  readonly url: string;
  answer: (request: IncomingMessage) => number;
  onRequest: (request: IncomingMessage) => void;
}

export async function startScriptedApi(): Promise<ScriptedApi> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume().once("end", () => {
      api.onRequest(request);
      response.writeHead(api.answer(request)).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const api: ScriptedApi = { url: `http://127.0.0.1:${port}`, answer: () => 200, onRequest: () => {} };
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return api;
}
