import { execFile } from "node:child_process";
import { findProgram } from "../../bridge/broker-process.ts";

/** How one of Mosquitto's command-line clients ended. */
export interface ClientResult {
  readonly code: number;
  /** What it printed, errors included. */
  readonly output: string;
}

/** Runs `mosquitto_pub` with the options of its manual; `input` is what it reads with `-s` or `-l`. */
export function mosquittoPub(port: number, args: readonly string[], input?: Uint8Array): Promise<ClientResult> {
  return run("mosquitto_pub", addressed(port, args), input);
}

/**
 * What a `mosquitto_sub` with a clean session hears first, retained messages before others: `count` of them, each a line
 * in the given format of its manual.
 */
export async function firstHeard(
  port: number,
  count: number,
  format: string,
  args: readonly string[],
): Promise<readonly string[]> {
  const { code, output } = await run("mosquitto_sub", ["-C", String(count), "-F", format, ...addressed(port, args)]);
  if (code !== 0) throw new Error(`mosquitto_sub ended with ${code}: ${output}`);
  return output.trimEnd().split("\n");
}

/**
 * Subscribes with a `mosquitto_sub` that ends when the broker has answered, its session staying; a second one then takes
 * `count` messages, and gives its result. (A single one says into its buffer that it has subscribed.)
 */
export async function mosquittoSub(
  port: number,
  count: number,
  args: readonly string[],
): Promise<{ readonly taken: Promise<ClientResult> }> {
  const session = ["-i", `mosquitto-sub-${process.pid}-${sessions++}`, "-c", "-q", "1"];
  const expiry = args.includes("mqttv5") ? ["-x", "60"] : [];
  const all = addressed(port, [...args, ...session, ...expiry]);
  const subscribed = await run("mosquitto_sub", ["-E", ...all]);
  if (subscribed.code !== 0) throw new Error(`mosquitto_sub could not subscribe: ${subscribed.output}`);
  return { taken: run("mosquitto_sub", ["-C", String(count), ...all]) };
}

let sessions = 0;

async function run(name: string, args: readonly string[], input?: Uint8Array): Promise<ClientResult> {
  const path = await findProgram(name);
  if (path === undefined) throw new Error(`no ${name} is installed; npm test installs it`);
  const { promise, resolve } = Promise.withResolvers<ClientResult>();
  const client = execFile(path, args, (error, stdout, stderr) => {
    resolve({ code: typeof error?.code === "number" ? error.code : 0, output: `${stdout}${stderr}` });
  });
  client.stdin?.end(input);
  return promise;
}

function addressed(port: number, args: readonly string[]): readonly string[] {
  return ["-h", "127.0.0.1", "-p", String(port), ...args];
}
