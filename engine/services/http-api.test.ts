import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Pool, request } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { badInputs } from "../../scheme/fixtures/bad-inputs.ts";
import { readTarget } from "../template/http-route-key.ts";
import type { HttpAuthorizationPlan } from "../template/plan.ts";
import { functionOf } from "../testing.ts";
import { HttpApi, type HttpApiOptions } from "./http-api.ts";
import { HttpListener, type ListenerOptions } from "./http-listener.ts";
import { LocalToken } from "./local-token.ts";
import { SynchronousInvocations, type SynchronousOptions } from "./synchronous-invocations.ts";
import { TokenBucket } from "./token-bucket.ts";

const echo = `
  export const handler = async (event) => {
    console.log(event.rawPath);
    return { statusCode: 202, headers: { "content-type": "application/json" }, body: JSON.stringify(event) };
  };`;

const authorization = "Bearer secret";

interface Setting extends Partial<Pick<HttpApiOptions, "bucket">>, Partial<SynchronousOptions> {
  readonly code?: string;
  readonly authorization?: HttpAuthorizationPlan;
  readonly routeKeys?: readonly string[];
  readonly timeoutMs?: number;
  readonly listener?: Omit<ListenerOptions, "port">;
}

/** Serves routes to one function, which is `echo` where the setting does not say otherwise. */
async function start({ code = echo, listener: listenerOptions, routeKeys, bucket, ...setting }: Setting = {}) {
  const options = functionOf(code);
  const invocations = new SynchronousInvocations(options, { concurrency: 4, ...setting });
  const routes = (routeKeys ?? ["POST /devices/{deviceId}/commands", "$default"]).map((key) => ({
    logicalId: key,
    key,
    target: readTarget(key, "Route"),
    authorization: setting.authorization ?? ({ kind: "iam" } as const),
    functionArn: options.arn,
    timeoutMs: setting.timeoutMs ?? 30_000,
    arn: "",
  }));
  const throttling = { ratePerSecond: 10_000, burst: 5_000 };
  let address = "";
  const api = new HttpApi({
    plan: { logicalId: "Api", id: "abc", stage: "$default", throttling, routes },
    accountId: "000000000000",
    token: new LocalToken("secret"),
    now: () => 0,
    invocations: new Map([[options.arn, invocations]]),
    address: () => address,
    ...(bucket && { bucket }),
  });
  const listener = await HttpListener.start(api, { port: 0, ...listenerOptions });
  address = new URL(listener.url).host;
  await invocations.started();
  const end = async () => {
    await invocations[Symbol.asyncDispose]();
    await listener[Symbol.asyncDispose]();
  };
  onTestFinished(end);
  return { api, listener, invocations, url: listener.url, output: options.output, end };
}

/** Sends bytes as they are and gives what comes back until the connection ends. */
async function sendRaw(url: string, ...parts: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    answer += text;
  });
  for (const part of parts) socket.write(part, "latin1");
  await once(socket, "close");
  return answer;
}

/** The status and the problem document of an answer that came raw. */
function read(answer: string): { readonly status: number; readonly code: unknown; readonly document: unknown } {
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  const document = body === "" ? {} : JSON.parse(body);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), code: document.code, document };
}

/** A request as one writes it by hand, with the token. */
function post(target: string, fields = "", body = ""): string {
  return `POST ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nConnection: close\r\n${fields}\r\n${body}`;
}

function badInput(id: string): {
  readonly raw: string;
  readonly expect: { readonly http: number; readonly code: string };
} {
  const found = badInputs("push.request").find((input) => input.id === id);
  if (found === undefined) throw new Error(`there is no case ${id}`);
  return { raw: String(found.input.raw), expect: found.expect as unknown as { http: number; code: string } };
}

test("a function has the request, and its caller the function's answer", async () => {
  const { url, api, output } = await start();
  const answer = await request(`${url}/devices/d42/commands?wait=5`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: '{"n":1.0}',
  });
  expect(answer).toMatchObject({ statusCode: 202, headers: { "content-type": "application/json" } });
  expect(await answer.body.json()).toMatchObject({
    routeKey: "POST /devices/{deviceId}/commands",
    rawPath: "/devices/d42/commands",
    rawQueryString: "wait=5",
    pathParameters: { deviceId: "d42" },
    headers: { host: new URL(url).host },
    body: '{"n":1.0}',
    requestContext: { requestId: answer.headers["apigw-requestid"] },
  });
  expect(output.lines).toEqual(["/devices/d42/commands"]);
  expect(api.counts).toEqual({ invoked: 1, throttled: 0, busy: 0, refused: 0 });
});

test.for([
  ["iam", "/devices/d42/commands", "no token", {}, 403, "Forbidden"],
  ["iam", "/devices/d42/commands", "another token", { authorization: "Bearer secrets" }, 403, "Forbidden"],
  ["iam", "/devices/d42/commands", "another scheme", { authorization: "Basic secret" }, 403, "Forbidden"],
  ["jwt", "/devices/d42/commands", "no token", {}, 401, "Unauthorized"],
  ["iam", "/nothing", "the token, but no route", { authorization }, 404, "Not Found"],
  ["iam", "/nothing", "neither", {}, 404, "Not Found"],
] as const)("%s, %s: who has %s is refused", async ([kind, path, , headers, status, message]) => {
  const plan = kind === "iam" ? { kind } : { kind, issuer: "https://i.example", audiences: ["a"], scopes: [] };
  const { url, api, output } = await start({ authorization: plan, routeKeys: ["ANY /devices/{deviceId}/commands"] });
  const answer = await request(url + path, { method: "POST", headers, body: "{}" });
  expect({ status: answer.statusCode, body: await answer.body.json() }).toEqual({ status, body: { message } });
  expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
  expect(api.counts).toEqual({ invoked: 0, throttled: 0, busy: 0, refused: 1 });
  expect(output.lines).toEqual([]);
});

test("two tokens are none", async () => {
  const { url } = await start();
  const answer = await sendRaw(url, post("/", `Authorization: ${authorization}\r\nContent-Length: 0\r\n`));
  expect(read(answer).status).toBe(403);
});

test.for([
  ["throws", 'export const handler = async () => { throw new Error("no"); };', 500, "Internal Server Error"],
  ["answers with no response", "export const handler = async () => ({ statusCode: 1 });", 500, "Internal Server Error"],
  ["ends its process", "export const handler = async () => process.exit(1);", 500, "Internal Server Error"],
  ["takes too long", "export const handler = () => new Promise(() => {});", 503, "Service Unavailable"],
] as const)("the caller of a function that %s is told so", async ([, code, status, message]) => {
  const { url, api } = await start({ code, timeoutMs: 300 });
  const answer = await request(url, { headers: { authorization } });
  expect({ status: answer.statusCode, body: await answer.body.json() }).toEqual({ status, body: { message } });
  expect(api.counts).toMatchObject({ invoked: 1 });
});

test("a caller beyond what the function may run is told to come back, and the function knows nothing of it", async () => {
  const code = "export const handler = () => new Promise(() => {});";
  const { url, api, invocations } = await start({ code, concurrency: 1, patienceMs: 50 });
  const first = request(url, { headers: { authorization } });
  await expect.poll(() => invocations.counts.invoked).toBe(1);
  const answer = await request(url, { headers: { authorization } });
  expect({ status: answer.statusCode, body: await answer.body.json() }).toEqual({
    status: 503,
    body: { message: "Service Unavailable" },
  });
  expect(api.counts).toMatchObject({ busy: 1 });
  await invocations[Symbol.asyncDispose]();
  expect((await first).statusCode).toBe(500);
});

test.for([
  ["/devices/../commands", 202, "/devices/../commands", { deviceId: ".." }],
  ["/devices/a%2Fb/commands", 202, "/devices/a/b/commands", { deviceId: "a/b" }],
  ["/devices/%252Fd1/commands", 202, "/devices/%2Fd1/commands", { deviceId: "%2Fd1" }],
  ["/devices/./x/../d1/commands", 202, "/devices/./x/../d1/commands", undefined], // $default
  ["//evil.example/commands", 202, "//evil.example/commands", undefined],
  ["/devices/%ff/commands", 400, undefined, undefined],
  ["http://evil.example/devices/d1/commands", 400, undefined, undefined],
] as const)("the target %s is not resolved", async ([target, status, rawPath, pathParameters]) => {
  const { url } = await start();
  const { document, ...answer } = read(await sendRaw(url, post(target, "Content-Length: 0\r\n")));
  expect(answer.status).toBe(status);
  if (status === 400) expect(answer.code).toBe("BAD_REQUEST");
  else expect(document).toMatchObject({ rawPath });
  expect((document as { pathParameters?: unknown }).pathParameters).toEqual(pathParameters);
});

test("push-32: a length in two ways is refused, the connection ends, and what follows is no request", async () => {
  const { raw, expect: wanted } = badInput("push-32");
  const { url, listener, api, output } = await start();
  const answer = await sendRaw(url, raw);
  expect(read(answer)).toMatchObject({ status: wanted.http, code: wanted.code });
  expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  expect(answer).toContain("content-type: application/problem+json\r\n");
  expect(listener.counts).toEqual({ requests: 1 });
  expect(api.counts.invoked).toBe(0);
  expect(output.lines).toEqual([]);
});

test("push-33: a body that does not come is waited for, and not for long", async () => {
  const { raw, expect: wanted } = badInput("push-33");
  const { url, listener, api } = await start({ listener: { requestTimeoutMs: 300 } });
  expect(read(await sendRaw(url, raw))).toMatchObject({ status: wanted.http, code: wanted.code });
  expect(listener.counts).toEqual({ requests: 1 });
  expect(api.counts.invoked).toBe(0);
});

test("push-34: what is over the stage's rate is refused, and every answer says truly whether it was done", async () => {
  const { expect: wanted } = badInput("push-34");
  const seconds = 5;
  const sent = 2_000 * seconds;
  let begun = 0;
  // Two requests each millisecond, however fast this machine is.
  const bucket = new TokenBucket(500, 1_000, () => begun / 2);
  const { url, api, listener, output, end } = await start({ bucket });
  const pool = new Pool(url, { connections: 50 });
  onTestFinished(() => pool.close());
  const answers = new Map<number, number>();
  const call = async () => {
    while (begun < sent) {
      begun += 1;
      const path = "/devices/d1/commands";
      const answer = await pool.request({ path, method: "POST", headers: { authorization }, body: "{}" });
      answers.set(answer.statusCode, (answers.get(answer.statusCode) ?? 0) + 1);
      if (answer.statusCode !== wanted.http) await answer.body.dump();
      else
        expect([answer.headers["retry-after"], await answer.body.json()]).toMatchObject(["1", { code: wanted.code }]);
    }
  };
  await Promise.all(Array.from({ length: 50 }, call));
  const done = answers.get(202) ?? 0;
  expect(done).toBeGreaterThanOrEqual(1_000 + 500 * seconds - 30);
  expect(done).toBeLessThanOrEqual(1_000 + 500 * seconds);
  expect(Object.fromEntries(answers)).toEqual({ 202: done, [wanted.http]: sent - done });
  expect(listener.counts).toEqual({ requests: sent });
  expect(api.counts).toEqual({ invoked: done, throttled: sent - done, busy: 0, refused: 0 });
  await end();
  expect(output.lines).toHaveLength(done);
});

test.for([
  ["a length twice", post("/", "Content-Length: 1\r\nContent-Length: 2\r\n", "x"), 400],
  ["a length that is none", post("/", "Content-Length: 1x\r\n", "x"), 400],
  ["a chunk without a length", post("/", "Transfer-Encoding: chunked\r\n", "zz\r\n"), 400],
  ["an encoding before the chunks", post("/", "Transfer-Encoding: gzip\r\n", "x"), 400],
  ["a field's name with a space", post("/", "Content-Length : 0\r\n"), 400],
  ["a field over two lines", post("/", "X-A: b\r\n c\r\nContent-Length: 0\r\n"), 400],
  ["no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
  ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400],
  ["no HTTP", "\x16\x03\x01\x02\x00", 400],
  ["a header over 10,240 bytes", post("/", `X-A: ${"x".repeat(10_240)}\r\n`), 431],
] as const)("%s is refused with a problem document", async ([, raw, status]) => {
  const { url, listener, output } = await start();
  expect(read(await sendRaw(url, raw))).toMatchObject({ status, code: "BAD_REQUEST" });
  expect(listener.counts).toEqual({ requests: 1 });
  expect(output.lines).toEqual([]);
});

const mebibyte = 1024 * 1024;

test.for<readonly [string, () => Buffer | Readable, number]>([
  ["a length over 10 MB", () => Buffer.alloc(10 * mebibyte + 1), 413],
  ["chunks over 10 MB", () => Readable.from(chunks(11)), 413],
  ["an event over what a function takes", () => Buffer.alloc(6 * mebibyte), 413],
  ["4 MB", () => Buffer.alloc(4 * mebibyte), 200],
])("a body of %s is answered", async ([, body, status]) => {
  const { url, api } = await start({ code: "export const handler = async (event) => event.body.length;" });
  const answer = await request(url, { method: "POST", headers: { authorization }, body: body() });
  const document = await answer.body.json();
  expect(answer.statusCode).toBe(status);
  expect(document).toEqual(status === 200 ? 5_592_408 : expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }));
  expect(api.counts.invoked).toBe(status === 200 ? 1 : 0);
});

async function* chunks(count: number) {
  for (let index = 0; index < count; index++) {
    yield Buffer.alloc(mebibyte);
    await setImmediate();
  }
}

test("a refused request after one that runs does not take its answer's place", async () => {
  const code = "export const handler = () => new Promise((resolve) => setTimeout(resolve, 300));";
  const { url } = await start({ code });
  const first = `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`;
  expect(await sendRaw(url, first, "NO HTTP\r\n\r\n")).toBe("");
});

test("a stop answers who waits and takes nobody else", async () => {
  const code = "export const handler = () => new Promise((resolve) => setTimeout(() => resolve(1), 300));";
  const { url, listener, invocations } = await start({ code });
  const waiting = request(url, { headers: { authorization } });
  await expect.poll(() => invocations.counts.invoked).toBe(1);
  listener.stop();
  await invocations.stop();
  expect((await waiting).statusCode).toBe(200);
  await expect(request(url, { headers: { authorization } })).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("a port that is taken is told", async () => {
  const { url, api } = await start();
  const { port } = new URL(url);
  await expect(HttpListener.start(api, { port: Number(port) })).rejects.toMatchObject({ code: "ERR_PORT" });
});
