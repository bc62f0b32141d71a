import { once } from "node:events";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { ConnectPacket } from "./connect-packet.ts";
import { Connection } from "./connection.ts";
import type { Refusal } from "./endings.ts";
import type { Shared } from "./exchange.ts";
import { passThrough } from "./pass-through.ts";
import { topicFaultOf } from "./publish-packet.ts";
import { SlidingSecond } from "./rates.ts";

export interface EndpointOptions {
  readonly port: number;
  readonly shared: Shared;
  readonly brokerPath: string;
  /** PEM of the server, and of the authority of clients' certificates. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Common name of the client that stands in place of the rules engine: no limit holds for it. */
  readonly unlimited: string;
}

/** The stand-in's door: TLS with certificates on both sides, and a limited connection for each client. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #sockets = new Set<TLSSocket>();
  readonly #connections = new Set<Connection>();
  readonly #byClientId = new Map<string, Connection>();
  readonly #connects = new Map<string, SlidingSecond>();
  #server: Server | undefined;

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    if (this.#server !== undefined) return;
    const { tls, port } = this.#options;
    const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (socket) =>
      this.#take(socket),
    );
    server.on("tlsClientError", () => {});
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  /** Ends all connections abruptly; new ones are refused. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server === undefined ? undefined : once(server, "close");
    server?.close();
    this.cut();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  cut(): void {
    for (const connection of this.#connections) connection.cut();
  }

  freeze(): void {
    for (const connection of this.#connections) connection.freeze();
  }

  #take(socket: TLSSocket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const { brokerPath, shared, unlimited } = this.#options;
    const identity = String(socket.getPeerCertificate().subject.CN);
    if (identity === unlimited) {
      passThrough(socket, brokerPath, identity);
      return;
    }
    this.#connections.add(
      new Connection(socket, {
        shared,
        brokerPath,
        identity,
        admit: (connection, packet) => this.#admit(connection, packet),
        onClose: (connection) => this.#forget(connection),
      }),
    );
  }

  #admit(connection: Connection, packet: ConnectPacket): Refusal | undefined {
    const { shared } = this.#options;
    const refusal = this.#refusalOf(packet, shared);
    if (refusal !== undefined) return refusal;
    this.#byClientId.get(packet.clientId)?.end("duplicate client id");
    this.#byClientId.set(packet.clientId, connection);
    return undefined;
  }

  #refusalOf(packet: ConnectPacket, { limits, policy, clock }: Shared): Refusal | undefined {
    const { clientId, hasBridgeFlag, willTopic } = packet;
    if (hasBridgeFlag && limits.refusesBridgeFlag) return "bridge flag";
    if (clientId === "" || Buffer.byteLength(clientId) > limits.clientIdBytes) return "client id";
    if (limits.endsUnauthorized && !policy.mayConnect(clientId)) return "not authorized";
    if (willTopic !== undefined && topicFaultOf(willTopic, Buffer.byteLength(willTopic), limits) !== undefined) {
      return "will on a reserved topic";
    }
    const connects = this.#connects.get(clientId) ?? new SlidingSecond();
    this.#connects.set(clientId, connects);
    return connects.take(limits.connectsPerSecond, clock.now()) ? undefined : "too many connects";
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    const { clientId } = connection;
    if (clientId !== undefined && this.#byClientId.get(clientId) === connection) this.#byClientId.delete(clientId);
  }
}
