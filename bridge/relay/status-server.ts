import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { metricsText } from "./metrics.ts";
import type { Relay } from "./relay.ts";

/** What the server looks at. */
export type Watched = Pick<Relay, "counts" | "isBrokerConnected" | "uplink" | "held">;

/** `/healthz` and `/metrics` on loopback, or on another address where somebody wants that. */
export class StatusServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param port 0 for any that is free. */
  static async start(relay: Watched, { host, port }: { readonly host: string; readonly port: number }) {
    const server = createServer(({ method, url }, response) => {
      const answer = method === "GET" ? answers[url ?? ""]?.(relay) : undefined;
      const { status, type, body } = answer ?? { status: 404, type: "text/plain", body: "/healthz and /metrics\n" };
      response.writeHead(status, { "content-type": type }).end(body);
    });
    server.listen(port, host);
    await once(server, "listening");
    return new StatusServer(server);
  }

  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const answers: Readonly<Record<string, (relay: Watched) => Answer>> = {
  "/healthz": ({ isBrokerConnected, uplink }) => {
    const health = { broker: isBrokerConnected, iotCore: uplink.isConnected };
    const isWell = health.broker && health.iotCore;
    const body = `${JSON.stringify({ status: isWell ? "ok" : "unavailable", ...health })}\n`;
    return { status: isWell ? 200 : 503, type: "application/json", body };
  },
  "/metrics": (relay) => ({ status: 200, type: "text/plain; version=0.0.4", body: metricsText(relay) }),
};
