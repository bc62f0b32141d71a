import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface TestLine extends AsyncDisposable {
  readonly port: number;
  /** How often somebody has connected. */
  readonly connections: number;
  /** Nothing gets through what is connected now, in either direction, and nobody is told. Later connections work. */
  silence(): void;
}

/** A TCP line to a server on this machine, as through a gateway that forgets connections. */
export async function startLine(serverPort: number): Promise<TestLine> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(serverPort, "127.0.0.1");
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
    sockets.add(client).add(upstream);
  });
  let connections = 0;
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    silence: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
