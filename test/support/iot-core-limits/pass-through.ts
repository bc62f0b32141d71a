import { connect } from "node:net";
import type { TLSSocket } from "node:tls";
import { readConnect } from "./connect-packet.ts";
import { PacketSplitter } from "./packet-splitter.ts";

/** Joins a client with the broker behind, as it is but for the user name, which its certificate gives it. */
export function passThrough(client: TLSSocket, brokerPath: string, username: string): void {
  const broker = connect(brokerPath);
  for (const [socket, other] of [
    [client, broker],
    [broker, client],
  ] as const) {
    socket.on("error", () => {});
    socket.on("close", () => other.destroy());
  }
  broker.pipe(client);
  const splitter = new PacketSplitter();
  client.on("data", function readFirst(bytes) {
    let isConnect = true;
    const passed = splitter.push(bytes, (packet) => {
      if (!isConnect) return "pass";
      isConnect = false;
      const connectPacket = readConnect(packet);
      return connectPacket.forBroker({
        username,
        keepAliveSeconds: connectPacket.keepAliveSeconds,
        receiveMaximum: 65_535,
      });
    });
    if (passed.length === 0) return;
    for (const piece of passed) broker.write(piece);
    client.off("data", readFirst);
    client.pipe(broker);
  });
}
