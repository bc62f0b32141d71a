import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { Fault } from "./behaviour.ts";
import type { Chance } from "./chance.ts";
import type { Journal } from "./journal.ts";
import type { MessageOfRun } from "./message-of-run.ts";
import type { Receipt } from "./protocol.ts";

/** A request of the run's, read to its end. */
export interface Exchange {
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly message: MessageOfRun;
  readonly journal: Journal;
}

/** Takes the message and answers 204; `onAnswered` is called when the answer is out. */
export async function answerProperly(exchange: Exchange, onAnswered: (receipt: Receipt) => void): Promise<void> {
  const { response, message, journal } = exchange;
  const receipt = await journal.take(message);
  if (response.destroyed) return journal.end(receipt, "closed");
  let isAnswered = false;
  response.once("finish", () => {
    isAnswered = true;
    journal.end(receipt);
    onAnswered(receipt);
  });
  response.once("close", () => {
    if (!isAnswered) journal.end(receipt, "closed");
  });
  response.writeHead(204).end();
}

/** Fails the request in one of the fault's forms. */
export async function fail(exchange: Exchange, fault: Fault, { isTaken, form }: Chance): Promise<void> {
  const { response, socket, message, journal } = exchange;
  if (fault === "errors") {
    journal.refuse();
    response.writeHead(errors[form % errors.length] ?? 500).end();
    return;
  }
  if (fault === "flood" && form % 2 === 0) return answerTooMuch(exchange);
  if (isTaken) await journal.take(message, fault);
  else journal.refuse();
  switch (fault) {
    case "hang":
      // Nothing is sent; it ends when the client closes the connection.
      return;
    case "reset":
      socket.resetAndDestroy();
      return;
    case "garbage":
      socket.end(garbage[form % garbage.length] ?? "");
      return;
    case "flood":
      await writeUntilClosed(socket, "HTTP/1.1 200 OK\r\n", `x-flood: ${"f".repeat(1_000)}\r\n`);
      return;
    default:
      return fault satisfies never;
  }
}

const errors = [500, 502, 503, 504];

/** Nothing of it has a status that an HTTP client could go by. */
const garbage = [
  "SSH-2.0-OpenSSH_9.2p1\r\n",
  "HTTP/1.1 2oo OK\r\n\r\n",
  "HTTP/1.1 999 Perhaps\r\ncontent-length: 0\r\n\r\n",
  "<html>204</html>",
  Buffer.from("16030100020203e800ff", "hex"),
];

const floodBytes = 100_000_000;

/** A status that says success, and a body that nobody wants to read: the message is delivered once the status is out. */
async function answerTooMuch({ response, message, journal }: Exchange): Promise<void> {
  const receipt = await journal.take(message);
  if (response.destroyed) return journal.end(receipt, "closed");
  response.writeHead(200, { "content-length": floodBytes });
  response.flushHeaders();
  journal.end(receipt);
  await writeUntilClosed(response, "", "f".repeat(64_000));
}

/** Writes 100 MB of one text over and over, as fast as it is read. */
async function writeUntilClosed(stream: Writable, head: string, text: string): Promise<void> {
  stream.write(head);
  const closed = once(stream, "close");
  for (let written = 0; written < floodBytes && !stream.destroyed; written += text.length) {
    if (!stream.write(text)) await Promise.race([once(stream, "drain"), closed]);
  }
  stream.end();
}
