// What the tests of this folder share: real brokers, and a client that tests can look at.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Aedes, type AedesOptions } from "aedes";
import { onTestFinished } from "vitest";
import { startMosquitto, type TestBroker } from "../test/support/mosquitto.ts";
import { freePort } from "../test/support/ports.ts";
import type { Client } from "./client.ts";
import type { ClientOptions } from "./client-options.ts";
import { connect } from "./connect.ts";

/** Comes back at once, and stays what a test sees of it. */
export const quickly: ClientOptions = { reconnectDelay: { minMs: 10, maxMs: 50 } };

/** Mosquitto, open to all, that logs every packet. */
export function startOpenBroker(more = ""): Promise<TestBroker> {
  return startMosquitto(({ folder, port, user }) => {
    const lines = [`user ${user}`, `listener ${port} 127.0.0.1`, "allow_anonymous true", `pid_file ${folder}/pid`];
    return new Map([["mosquitto.conf", [...lines, "log_dest stderr", "log_type all", more, ""].join("\n")]]);
  });
}

/** A broker of this test. */
export async function lasting<T extends AsyncDisposable>(broker: T | Promise<T>): Promise<T> {
  const started = await broker;
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

/** A client that ends with its test. */
export function connected(url: string, options: ClientOptions = {}): Promise<Client> {
  return lasting(connect(url, options));
}

/** Stops a broker's process, which answers nothing from then on but keeps its connections; returns what lets it go on. */
export async function freeze(broker: TestBroker): Promise<() => void> {
  const pid = Number(await readFile(join(broker.folder, "pid"), "utf8"));
  process.kill(pid, "SIGSTOP");
  return () => process.kill(pid, "SIGCONT");
}

/** Lines of a broker's log from one on, all that came before a moment when the broker had handled everything. */
export async function handledLines(broker: TestBroker, from: number): Promise<readonly string[]> {
  const client = await connect(broker.url);
  const logged = broker.logged(new RegExp(`Received DISCONNECT from ${client.clientId}`), from);
  await client[Symbol.asyncDispose]();
  await logged;
  return broker.lines.slice(from).filter((line) => !line.includes(client.clientId));
}

/** Resolves at the end of this turn of the event loop, when filters that nobody wants are given back. */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Aedes, which has MQTT 3.1.1 only and refuses what a test tells it to. */
export async function startAedes(options: AedesOptions = {}): Promise<AsyncDisposable & { readonly url: string }> {
  const aedes = await Aedes.createBroker(options);
  const server = createServer(aedes.handle);
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `mqtt://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      server.close();
    },
  };
}
