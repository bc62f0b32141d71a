import { once } from "node:events";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import { type BadInput, badInputs } from "../../scheme/fixtures/bad-inputs.ts";
import { type Authority, createAuthority } from "../../test/support/certificates.ts";
import { maxAnswerBytes } from "./send.ts";
import { answererOf, longBody } from "./test-answers.ts";
import { type RawApi, startRawApi } from "./test-api.ts";
import { maximumDelaySeconds, messageElsewhere, messageOf, startEnvironments } from "./test-environments.ts";

/** A second of the cases, in milliseconds: theirs are for a time limit of 15 s and a second beyond, ours is 0.5 s. */
const pace = 1_000 / 30;
const timeoutMs = 15 * pace;
/** The second beyond stays a second: it is for what the machine does besides. */
const beyondMs = 1_000;

const cases = [...badInputs("api.response"), ...badInputs("config").filter(({ id }) => id === "cfg-14")];

let authority: Authority;

beforeAll(async () => {
  authority = await createAuthority();
  // So that nothing but the date or the name is wrong with a certificate.
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, authority.caPem]);
  return () => setDefaultCACertificates(before);
});

const certificates: Readonly<Record<string, () => ReturnType<Authority["issue"]>>> = {
  "expired certificate": () => authority.issue({ commonName: "api", notAfter: new Date(Date.now() - 60_000) }),
  "wrong host name": () => authority.issue({ commonName: "api", hosts: ["elsewhere.example"] }),
  none: () => authority.issue({ commonName: "api" }),
};

/** The server of a case, and `forward` in front of it. Devices that are called `well…` get 204 from it. */
async function setUp({ input }: Pick<BadInput, "input">) {
  const answer = answererOf(input, pace);
  const server = { isWell: false };
  const respond: Parameters<typeof startRawApi>[0] = (socket, { head }) => {
    if (server.isWell || head.includes("/well")) socket.write("HTTP/1.1 204 Well\r\n\r\n");
    else answer(socket);
  };
  const api = await startRawApi(respond, "tls" in input ? await certificateOf(input.tls) : undefined);
  return { api, server, ...(await startEnvironments({ apiUrl: api.url, timeoutMs })) };
}

async function certificateOf(fault: unknown): Promise<{ readonly key: string; readonly cert: string }> {
  const issue = certificates[String(fault)];
  if (issue === undefined) throw new Error(`no certificate has ${fault}`);
  const { keyPem, certPem } = await issue();
  return { key: keyPem, cert: certPem };
}

type SetUp = Awaited<ReturnType<typeof setUp>>;

test.for(cases)("$id: $input", async ({ id, input, expect: expected }) => {
  const setup = await setUp({ input });
  const { api, start, attemptLog, deadLetters, delays } = setup;
  const forward = start("fresh");
  const begin = performance.now();
  const result = await forward([messageOf("d1")]);
  const elapsedMs = performance.now() - begin;
  const [attempt] = (await attemptLog.read(["d1"])).get("d1") ?? [];
  const letter = await deadLetters.get("d1");
  expect({
    outcome: letter ? "dead-letter" : attempt ? "retry" : "deliver",
    code: letter?.reason ?? attempt?.code,
  }).toEqual({ outcome: expected.outcome, code: expected.code });
  const isRetried = expected.outcome === "retry";
  expect(result.batchItemFailures).toEqual(isRetried ? [{ itemIdentifier: "d1" }] : []);
  expect(result.dead ?? []).toEqual(letter ? ["d1"] : []);
  expect(delays.get("d1") ?? 0).toEqual(isRetried ? expect.toSatisfy((seconds) => seconds >= 5) : 0);
  expect(delays.get("d1") ?? 0).toBeLessThanOrEqual(maximumDelaySeconds);
  expect(api.requests).toHaveLength("tls" in input ? 0 : 1);
  expect(api.requests[0]?.body).toBe("tls" in input ? undefined : "1");
  if (expected.max_ms !== undefined) {
    expect(elapsedMs).toBeGreaterThanOrEqual(timeoutMs - 5);
    expect(elapsedMs).toBeLessThan((expected.max_ms / 1_000 - 16) * pace + timeoutMs + beyondMs);
  }
  await checks[id]?.(setup);
});

test("has a check for every case that asks for one", () => {
  const asking = cases.filter(({ expect: { check, note } }) => check !== undefined || note !== undefined);
  expect(Object.keys(checks).toSorted()).toEqual(asking.map(({ id }) => id).toSorted());
});

/** What a case's `check` or `note` says beside the outcome, after its message was forwarded once. */
const checks: Readonly<Record<string, (setup: SetUp) => Promise<void>>> = {
  "api-01": isReadNoFurther,
  "api-02": async ({ answers }) => {
    expect(answers).toMatchObject([{ status: 200, body: Buffer.from("abc"), isTruncated: true }]);
  },
  "api-06": async ({ api }) => await areClosed(api), // it was dripping still: not for want of bytes
  "api-07": isHeldForSevenSeconds,
  "api-09": isHeldForTwelveHours,
  "api-10": isNotHeld,
  "api-11": isNotHeld,
  "api-13": isRecorded,
  "api-14": isRecorded,
  "api-15": isRecorded,
  "api-17": isSuspect,
  "api-18": isSuspect,
  "api-19": isSuspect,
  "api-29": isSuspect,
  "api-33": async ({ answers }) => expect(answers).toMatchObject([{ status: 200, isTruncated: true }]),
  "api-35": async ({ answers }) => {
    expect(answers).toMatchObject([{ status: 200, body: Buffer.from(longBody.slice(0, maxAnswerBytes)) }]);
  },
  "api-38": isHeldForADay,
  "cfg-14": async ({ answers }) => expect(answers).toMatchObject([{ status: 302 }]), // see also the test below
};

async function isReadNoFurther({ api, answers, start }: SetUp): Promise<void> {
  expect(answers).toMatchObject([{ status: 200, isTruncated: true }]);
  expect(answers[0]?.kind === "response" && answers[0].body.length).toBe(maxAnswerBytes);
  await areClosed(api);
  // What was sent went into the sockets' buffers, on both sides, not further.
  for (const socket of api.sockets) expect(socket.bytesWritten).toBeLessThan(20 * 1024 * 1024);
  // What the first requests take once, for code and connections, is not the answer's.
  const forward = start("fresh");
  for (let count = 0; count < 100; count += 1) await forward([messageOf("well")]);
  const before = process.memoryUsage.rss();
  let most = before;
  const sampler = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 1);
  await forward([messageOf("d1")]);
  clearInterval(sampler);
  expect(answers.at(-1)).toMatchObject({ status: 200, isTruncated: true });
  expect(Math.max(most, process.memoryUsage.rss()) - before).toBeLessThan(5 * 1024 * 1024);
}

async function areClosed({ sockets }: RawApi): Promise<void> {
  for (const socket of sockets) if (!socket.closed) await once(socket, "close");
}

async function isHeldForSevenSeconds({ api, clock, start, delays }: SetUp): Promise<void> {
  expect(delays.get("d1")).toBe(7);
  const environments = [start("fresh"), start("retry")];
  clock.now += 6_900;
  for (const forward of environments) await forward([messageOf("d2")]);
  expect(delays.get("d2")).toBe(1);
  expect(api.requests).toHaveLength(1);
  // Of another route, or after the seven seconds, it goes.
  await environments[0]?.([messageElsewhere("d3")]);
  expect(api.requests).toHaveLength(2);
  clock.now += 100;
  await environments[0]?.([messageOf("well")]);
  expect(api.requests).toHaveLength(3);
  expect(delays.has("well")).toBe(false);
}

async function isHeldForTwelveHours({ api, clock, states, start, delays, alarms }: SetUp): Promise<void> {
  const twelveHoursMs = 12 * 3_600_000;
  expect(delays.get("d1")).toBe(maximumDelaySeconds); // as long as SQS can
  expect(await states.read("location")).toMatchObject({ isOpen: true, probeAt: clock.now + twelveHoursMs });
  expect(alarms).toEqual([{ route: "location", opening: { reason: "RETRY_AFTER", code: "HTTP_429" } }]);
  clock.now += twelveHoursMs;
  await start("retry")([messageOf("d1")]);
  expect(api.requests).toHaveLength(1); // the circuit's probe is the first
}

async function isNotHeld({ api, states, start, delays, alarms }: SetUp): Promise<void> {
  expect(delays.get("d1")).toBe(5);
  expect(await states.read("location")).toMatchObject({ isOpen: false, holdUntil: 0 });
  expect(alarms).toEqual([]);
  await start("fresh")([messageOf("d2")]);
  expect(api.requests).toHaveLength(2);
}

async function isRecorded({ deadLetters, answers }: SetUp): Promise<void> {
  const letter = await deadLetters.get("d1");
  expect(letter).toMatchObject({
    deviceId: "d1",
    topic: "v1/drivers/d1/location",
    attempts: [{ code: letter?.reason }],
  });
  expect(letter?.request).toMatchObject({ method: "POST", path: "/v1/drivers/d1/location" });
  const [answer] = answers;
  expect(letter?.answer?.status).toBe(answer?.kind === "response" && answer.status);
  expect(Buffer.from(letter?.answer?.body ?? []).toString()).toBe(longBody.slice(0, maxAnswerBytes));
  expect(letter?.answer?.isTruncated).toBe(true);
}

/** Everybody has it: the fifth device in succession makes it the endpoint's fault. */
async function isSuspect({ api, server, clock, start, states, delays, alarms, deadLetters, attemptLog }: SetUp) {
  const fresh = start("fresh");
  const retry = start("retry");
  const code = (await attemptLog.read(["d1"])).get("d1")?.[0]?.code;
  // An environment of its own, which has not seen the case's message. One request at a time: none is under way then.
  const devices = Array.from({ length: 10 }, (_, index) => `e${index}`);
  const { batchItemFailures, dead } = await fresh(devices.map(messageOf));
  expect(dead).toBeUndefined();
  expect(batchItemFailures).toHaveLength(10);
  expect(alarms).toEqual([{ route: "location", opening: { reason: "SUSPECTS_IN_A_ROW", code } }]);
  expect(api.requests).toHaveLength(1 + 5);
  expect(devices.map((device) => delays.get(device))).toEqual([5, 5, 5, 5, 5, 0, 0, 0, 0, 0]);
  // Held, whoever asks and however long it takes.
  for (const hours of [0, 1, 24, 71]) {
    clock.now += hours * 3_600_000;
    for (const forward of [fresh, retry, start("fresh")]) {
      expect((await forward(devices.map(messageOf))).batchItemFailures).toHaveLength(10);
    }
  }
  expect(api.requests).toHaveLength(1 + 5);
  // Nothing of it is lost.
  server.isWell = true;
  await states.close("location");
  clock.now += 60_000;
  expect(await retry(devices.map(messageOf))).toEqual({ batchItemFailures: [] });
  expect(await deadLetters.get("e0")).toBeUndefined();
}

async function isHeldForADay({ api, clock, start, alarms, states }: SetUp): Promise<void> {
  expect(alarms).toEqual([{ route: "location", opening: { reason: "ENDPOINT_FAULT", code: "TLS_INVALID" } }]);
  const connections = api.sockets.size;
  for (const hours of [0, 1, 24]) {
    clock.now += hours * 3_600_000;
    for (const lane of ["fresh", "retry"] as const) {
      const { batchItemFailures } = await start(lane)([messageOf("d1"), messageOf("d2")]);
      expect(batchItemFailures).toHaveLength(2);
    }
  }
  expect(api.sockets.size).toBe(connections);
  expect(await states.read("location")).toMatchObject({ isOpen: true });
}

describe("a suspect answer to one device", () => {
  const suspects = cases.filter(({ expect: { check } }) => /one message ends|single device/.test(check ?? ""));

  test.for(suspects)(
    "$id: is a dead letter after short retries while others succeed",
    async ({ input, expect: { code } }) => {
      const { clock, start, delays, alarms, deadLetters, states } = await setUp({ input });
      const [fresh, retry] = [start("fresh"), start("retry")];
      const others = ["well1", "well2", "well3"].map(messageOf);
      expect(await fresh([...others, messageOf("d1"), ...others])).toEqual({
        batchItemFailures: [{ itemIdentifier: "d1" }],
      });
      for (const expectedDelay of [5, 30]) {
        expect(delays.get("d1")).toBe(expectedDelay);
        clock.now += expectedDelay * 1_000;
        expect(await fresh(others)).toEqual({ batchItemFailures: [] });
        clock.now += 1_000;
        const { dead = [] } = await retry([messageOf("d1")]);
        expect(dead).toEqual(expectedDelay === 30 ? ["d1"] : []);
      }
      const letter = await deadLetters.get("d1");
      expect(letter).toMatchObject({ reason: code, attempts: [{ code }, { code }, { code }] });
      expect(letter?.answer?.isTruncated).toBe(true);
      expect(alarms).toEqual([]);
      expect(await states.read("location")).toMatchObject({ isOpen: false });
    },
  );
});

test("delivers over TLS where nothing is wrong with the certificate", async () => {
  const { api, start } = await setUp({ input: { tls: "none" } });
  expect(await start("fresh")([messageOf("d1")])).toEqual({ batchItemFailures: [] });
  expect(api.requests).toHaveLength(1);
});

test("makes no connection to where a redirect points", async () => {
  const elsewhere = await startRawApi((socket) => socket.end());
  const { api, start } = await setUp({ input: { response: `302 Location: ${elsewhere.url}` } });
  const { batchItemFailures } = await start("fresh")([messageOf("d1")]);
  expect(batchItemFailures).toHaveLength(1);
  expect(api.requests).toHaveLength(1);
  expect(elsewhere.sockets.size).toBe(0);
});
