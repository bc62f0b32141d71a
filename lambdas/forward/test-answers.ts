import type { Socket } from "node:net";
import type { BadInput } from "../../scheme/fixtures/bad-inputs.ts";

/** Answers a request over its socket. */
export type Answerer = (socket: Socket) => void;

/** What the body of an answer says where a case leaves it open: more than is read of one. */
export const longBody = "because ".repeat(2_500);

const reset = "(reset)";

/**
 * What the server of an `api.response` case does, by what its input names. One that names something new throws.
 *
 * @param pace What a second of the case takes here, in milliseconds.
 */
export function answererOf(input: BadInput["input"], pace: number): Answerer {
  const [found] = Object.keys(input).flatMap((key) => answerers[key] ?? []);
  if (found === undefined) throw new Error(`no server does ${JSON.stringify(input)}`);
  return found(input, pace);
}

/** By the member of the input that decides; the others only add to it. */
const answerers: Readonly<Record<string, (input: BadInput["input"], pace: number) => Answerer>> = {
  tls: () => (socket) => socket.end(head(200, {})),

  status: ({ status, body, retryAfter, location }) => {
    if (isRepeated(body)) return (socket) => void writeRepeated(socket, head(Number(status), {}), body);
    const [last, ...interim] = String(status).split(" then ").reverse();
    const fields = { "retry-after": retryAfter, location };
    const text = interim.map((code) => head(Number(code), { link: "</x>" })).join("") + whole(Number(last), fields);
    return (socket) => socket.write(text);
  },

  response: ({ response }) => {
    const [, status, location] = /^(\d+) Location: (\S+)$/.exec(String(response)) ?? [];
    return (socket) => socket.write(whole(Number(status), { location }));
  },

  raw: ({ raw }) => {
    const text = String(raw);
    if (!text.endsWith(reset)) return (socket) => socket.end(text);
    // A reset overtakes nothing that is already in the receiver's kernel.
    return (socket) => socket.write(text.slice(0, -reset.length), () => socket.resetAndDestroy());
  },

  headersDelayMs:
    ({ headersDelayMs }, pace) =>
    (socket) => {
      const timer = setTimeout(() => socket.write(whole(200, {})), (Number(headersDelayMs) / 1_000) * pace);
      socket.once("close", () => clearTimeout(timer));
    },

  // Of the answer's head: with its status known the API would have decided.
  drip: ({ drip }, pace) => {
    const [, bytes, minutes] = /^(\d+) byte per second for (\d+) min$/.exec(String(drip)) ?? [];
    const count = Number(bytes) * Number(minutes) * 60;
    return (socket) => {
      const letters = `HTTP/1.1 200 OK\r\nx-drip: ${"y".repeat(count)}`[Symbol.iterator]();
      const timer = setInterval(() => socket.write(letters.next().value ?? ""), pace / Number(bytes));
      socket.once("close", () => clearInterval(timer));
    };
  },

  contentEncodingChain: ({ contentEncodingChain }) => {
    const [coding, times] = String(contentEncodingChain).split(" x ");
    const chain = Array(Number(times)).fill(coding).join(", ");
    return (socket) => socket.write(whole(200, { "content-encoding": chain }));
  },

  headerBytes:
    ({ headerBytes }) =>
    (socket) =>
      socket.write(whole(200, { "x-large": "h".repeat(Number(headerBytes)) })),
};

function head(status: number, fields: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}\r\n`));
  return `HTTP/1.1 ${status} Case\r\n${lines.join("")}\r\n`;
}

/** An answer after which the connection stays. */
function whole(status: number, fields: Readonly<Record<string, unknown>>): string {
  if (status === 204) return head(status, fields);
  return head(status, { ...fields, "content-length": longBody.length }) + longBody;
}

interface Repeated {
  readonly repeat: string;
  readonly times: number;
}

function isRepeated(body: unknown): body is Repeated {
  return typeof body === "object" && body !== null && "repeat" in body && "times" in body;
}

/** Writes as fast as it is read, and ends with the connection, which says that the body is over. */
async function writeRepeated(socket: Socket, first: string, { repeat, times }: Repeated): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, repeat);
  socket.write(first);
  for (let left = times * repeat.length; left > 0 && !socket.destroyed; left -= chunk.length) {
    if (socket.write(chunk.subarray(0, left))) continue;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.once("drain", resolve).once("close", resolve);
    await promise;
    socket.off("drain", resolve).off("close", resolve);
  }
  socket.end();
}
