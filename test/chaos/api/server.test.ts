import { join } from "node:path";
import { request } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { projectRoot } from "../../../infra/bundle.ts";
import { loadScheme } from "../../../scheme/load-scheme.ts";
import { freePort } from "../../support/ports.ts";
import { Fleet } from "../fleet.ts";
import type { Fault } from "./behaviour.ts";
import { Journal } from "./journal.ts";
import type { ApiMessage, Ended, Taken } from "./protocol.ts";
import { ChaosApi } from "./server.ts";

const scheme = await loadScheme(join(projectRoot, "test/chaos/chaos.config.ts"));
const fleet = new Fleet(scheme, 10);

test("a message is taken before it is answered", async () => {
  const { api, news, release } = await start({ isHeld: true });
  const answer = api.post(0);
  await expect.poll(() => news.taken).toMatchObject([{ messageNumber: 0, doubt: undefined }]);
  expect(news.ended).toEqual([]);
  release();
  expect((await answer).statusCode).toBe(204);
  await expect.poll(() => news.ended).toMatchObject([{ messageNumber: 0, doubt: undefined }]);
});

test("a connection that is closed without an answer leaves a doubt", async () => {
  const { api, news, release } = await start({ isHeld: true });
  const leaving = new AbortController();
  const answer = api.post(0, leaving.signal).catch((error) => error.name);
  await expect.poll(() => news.taken.length).toBe(1);
  leaving.abort();
  expect(await answer).toBe("AbortError");
  release();
  await expect.poll(() => news.ended.at(-1)).toMatchObject({ messageNumber: 0, doubt: "closed" });
});

test.for<readonly [Fault, RegExp]>([
  ["errors", /^50\d$/],
  ["hang", /AbortError|TimeoutError/],
  ["reset", /SocketError|ECONNRESET/],
  ["garbage", /HTTPParserError|SocketError|^999$/],
  ["flood", /HeadersOverflowError|^200$/],
])("fault %s shows, and what the API took of it is in doubt", async ([fault, shows]) => {
  const { api, news } = await start();
  await api.behave({ kind: "faulty", fault, part: 1 });
  const numbers = Array.from({ length: 12 }, (_, number) => number);
  const results = await Promise.all(
    numbers.map((number) =>
      api.post(number, AbortSignal.timeout(500)).then(
        async ({ statusCode, body }) => {
          body.destroy();
          body.on("error", () => {});
          return String(statusCode);
        },
        (error) => String(error),
      ),
    ),
  );
  for (const result of results) expect(result).toMatch(shows);
  await expect.poll(() => news.taken.length + news.refused).toBe(numbers.length);
  // Where the status said success, the message is delivered.
  const answered = results.filter((result) => result === "200").length;
  expect(news.taken.filter(({ doubt }) => doubt === undefined)).toHaveLength(answered);
  if (fault === "errors") expect(news.taken).toEqual([]);
  else expect(news.taken.some(({ doubt }) => doubt === fault)).toBe(true);
});

async function start({ isHeld = false } = {}) {
  const news = { taken: [] as Taken[], ended: [] as Ended[], refused: 0 };
  const written: (() => void)[] = [];
  let isReleased = !isHeld;
  const journal = new Journal((message: ApiMessage, done) => {
    if (message.kind !== "news") return;
    news.taken.push(...message.taken);
    news.ended.push(...message.ended);
    news.refused += message.refused;
    if (isReleased) done();
    else written.push(done);
  });
  const port = await freePort();
  const api = new ChaosApi({ port, fleet, messages: 100, seed: 1, journal });
  await api.listen();
  onTestFinished(() => api.behave({ kind: "down" }));
  const post = (number: number, signal?: AbortSignal) => {
    const { deviceId, topic, payload, idempotencyKey = "made" } = fleet.message(number);
    return request(`http://127.0.0.1:${port}/${topic}`, {
      method: "POST",
      headers: {
        "idempotency-key": idempotencyKey,
        "x-device-id": deviceId,
        "x-mqtt-topic": topic,
        "x-attempt": "1",
      },
      body: JSON.stringify(JSON.parse(payload).body),
      ...(signal === undefined ? {} : { signal }),
    });
  };
  const release = () => {
    isReleased = true;
    for (const done of written) done();
  };
  return { api: Object.assign(api, { post }), news, release };
}
