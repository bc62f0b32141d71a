import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { connect } from "node:tls";

/** A way to a TLS server for clients that speak no TLS, e.g. `RawClient`. */
export interface TlsLine extends AsyncDisposable {
  readonly port: number;
}

export async function startTlsLine(
  serverPort: number,
  credentials: { readonly ca: string; readonly cert: string; readonly key: string },
): Promise<TlsLine> {
  const server = createServer((client) => {
    const upstream = connect({ port: serverPort, host: "127.0.0.1", ...credentials });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on("error", () => {});
      socket.on("close", () => other.destroySoon());
      socket.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
