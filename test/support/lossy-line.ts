import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP line to a server on this machine that loses what clients send, as a machine does that crashes. */
export interface LossyLine extends AsyncDisposable {
  readonly port: number;
  /** From now on nothing that the clients send gets through; what the server sends does. */
  lose(): void;
  /** Ends the connections abruptly. Later ones lose nothing. */
  cut(): void;
}

export async function startLossyLine(serverPort: number): Promise<LossyLine> {
  const sockets = new Set<Socket>();
  let isLosing = false;
  const server = createServer((client) => {
    const upstream = connect(serverPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (bytes) => {
      if (!isLosing) upstream.write(bytes);
    });
    upstream.pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
    isLosing = false;
  };
  return {
    port: (server.address() as AddressInfo).port,
    lose: () => {
      isLosing = true;
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
