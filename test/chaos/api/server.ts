import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { Fleet } from "../fleet.ts";
import type { Behaviour } from "./behaviour.ts";
import { chanceOf } from "./chance.ts";
import { answerProperly, type Exchange, fail } from "./exchange.ts";
import type { Journal } from "./journal.ts";
import { readMessage } from "./message-of-run.ts";
import type { Receipt } from "./protocol.ts";

export interface ChaosApiOptions {
  readonly port: number;
  readonly fleet: Fleet;
  readonly messages: number;
  readonly seed: number;
  readonly journal: Journal;
}

/** A connection that is closed so soon after an answer, and before another request, may not have been read to its end. */
const closedSoonMs = 5_000;

/** An HTTP API that takes the fleet's messages, and fails as it is told. */
export class ChaosApi {
  readonly #options: ChaosApiOptions;
  readonly #server: Server;
  /** Of each connection, what was answered last. */
  readonly #answered = new WeakMap<Socket, { readonly receipt: Receipt; readonly at: number }>();
  #behaviour: Behaviour = { kind: "proper" };

  constructor(options: ChaosApiOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      // A sender that goes away while it sends has said nothing.
      this.#serve(request, response).catch(() => request.destroy());
    });
    this.#server.on("connection", (socket) => {
      socket.once("close", () => this.#noteClosed(socket));
      // What is written to a sender that has gone.
      socket.on("error", () => {});
    });
    // Longer than a client keeps an idle connection, so that none is closed under a request.
    this.#server.keepAliveTimeout = 60_000;
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#options.port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async behave(behaviour: Behaviour): Promise<void> {
    this.#behaviour = behaviour;
    if (behaviour.kind !== "down") {
      if (!this.#server.listening) await this.listen();
      return;
    }
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket, headers } = request;
    this.#answered.delete(socket);
    const { fleet, messages, seed, journal } = this.#options;
    const body = await text(request);
    const message = readMessage(headers, body, fleet, messages);
    if (message === undefined) {
      journal.noteUnexpected(`${request.method} ${request.url} ${JSON.stringify(headers)} ${body.slice(0, 200)}`);
      response.writeHead(204).end();
      return;
    }
    const exchange: Exchange = { response, socket, message, journal };
    const chance = chanceOf(seed, message.messageNumber, String(headers["x-attempt"]));
    const behaviour = this.#behaviour;
    if (behaviour.kind === "faulty" && chance.failure < behaviour.part) {
      await fail(exchange, behaviour.fault, chance);
    } else {
      await answerProperly(exchange, (receipt) => {
        this.#answered.set(socket, { receipt, at: performance.now() });
      });
    }
  }

  #noteClosed(socket: Socket): void {
    const last = this.#answered.get(socket);
    if (last !== undefined && performance.now() - last.at < closedSoonMs) {
      this.#options.journal.end(last.receipt, "closed");
    }
  }
}
