import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { functionOf } from "../testing.ts";
import { ExecutionEnvironment, type FunctionOptions } from "./execution-environment.ts";

const noop = () => {};

/** The handler's answer; rejects with the invocation's error. */
function invoke(environment: ExecutionEnvironment, event: unknown = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    environment.invoke(JSON.stringify(event), (error, answer) => {
      if (error === undefined) resolve(JSON.parse(answer));
      else reject(error);
    });
  });
}

async function start(options: FunctionOptions): Promise<ExecutionEnvironment> {
  const environment = new ExecutionEnvironment(options, noop);
  await environment.started;
  return environment;
}

test.for([
  ["an object", "({ status: 'ok' })", { status: "ok" }],
  ["text", "'ok'", "ok"],
  ["nothing", "undefined", null], // JSON has no undefined; Lambda answers null
  ["a promise", "Promise.resolve(7)", 7],
] as const)("answers with what the handler returns: %s", async ([, expression, answer]) => {
  await using environment = await start(functionOf(`export const handler = () => ${expression};`));
  expect(await invoke(environment)).toEqual(answer);
});

test("hands over the event", async () => {
  await using environment = await start(functionOf("export const handler = async (event) => event;"));
  const event = { data: "é\u{1f600}", list: [1, null], __proto__x: true };
  expect(await invoke(environment, event)).toEqual(event);
});

test.for([
  ["an error", "throw new RangeError('too far')", { type: "RangeError", message: "too far" }],
  ["what is no error", "throw 'text'", { type: "Error", message: "text" }],
  ["an answer without JSON", "return 1n", { type: "TypeError" }],
  ["a rejection", "return Promise.reject(new Error('later'))", { type: "Error", message: "later" }],
] as const)("fails an invocation that gives %s, and runs the next", async ([, statement, error]) => {
  const code = `export const handler = (event) => { if (event.isGood) return "good"; ${statement}; };`;
  const options = functionOf(code);
  await using environment = await start(options);
  await expect(invoke(environment)).rejects.toMatchObject(error);
  expect(await invoke(environment, { isGood: true })).toBe("good");
  expect(options.output.lines.join("\n")).toContain('"errorType"');
});

test("ends an invocation at its time limit and runs the next in a new thread", async () => {
  const code = `
    let invocations = 0;
    export const handler = async ({ isSlow }) => { invocations += 1; if (isSlow) await new Promise(() => setInterval(() => {}, 1000)); return invocations; };`;
  await using environment = await start(functionOf(code, { timeoutMs: 100 }));
  expect(await invoke(environment)).toBe(1);
  await expect(invoke(environment, { isSlow: true })).rejects.toMatchObject({
    type: "Sandbox.Timedout",
    message: "Task timed out after 0.10 seconds",
  });
  expect(await invoke(environment)).toBe(1);
});

test("a thread's start is no part of an invocation's time", async () => {
  const code = `
    await new Promise((resolve) => setTimeout(resolve, 300));
    export const handler = async ({ isSlow }) => { if (isSlow) await new Promise(() => setInterval(() => {}, 1000)); return "quick"; };`;
  await using environment = await start(functionOf(code, { timeoutMs: 150 }));
  await expect(invoke(environment, { isSlow: true })).rejects.toMatchObject({ type: "Sandbox.Timedout" });
  expect(await invoke(environment)).toBe("quick");
});

test("ends a handler that never lets go of the processor", async () => {
  const code = "export const handler = ({ isBusy }) => { while (isBusy); return 'free'; };";
  await using environment = await start(functionOf(code, { timeoutMs: 100 }));
  await expect(invoke(environment, { isBusy: true })).rejects.toMatchObject({ type: "Sandbox.Timedout" });
  expect(await invoke(environment)).toBe("free");
});

test.for([
  ["ends its process", "process.exit(3)", "the function exited with status 3"],
  ["throws outside its promise", "setTimeout(() => { throw new Error('stray') })", "Error: stray"],
  ["leaves a rejection alone", "Promise.reject(new Error('stray'))", "Error: stray"],
] as const)("fails an invocation that %s, and runs the next in a new thread", async ([, statement, message]) => {
  const code = `export const handler = async ({ isBad }) => { if (!isBad) return "good"; ${statement}; await new Promise(() => {}); };`;
  await using environment = await start(functionOf(code));
  await expect(invoke(environment, { isBad: true })).rejects.toMatchObject({ type: "Runtime.ExitError", message });
  expect(await invoke(environment)).toBe("good");
});

test("runs one invocation at a time, in their order", async () => {
  const code = `
    let running = 0;
    export const handler = async ({ id }) => {
      running += 1;
      const most = running;
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      return { id, most };
    };`;
  await using environment = await start(functionOf(code));
  const answers = await Promise.all([1, 2, 3, 4, 5].map((id) => invoke(environment, { id })));
  expect(answers).toEqual([1, 2, 3, 4, 5].map((id) => ({ id, most: 1 })));
});

test("invocations that were handed over run in the next thread when theirs is replaced", async () => {
  const code = "export const handler = async ({ id, isBad }) => { if (isBad) process.exit(1); await 0; return id; };";
  await using environment = await start(functionOf(code));
  const bad = invoke(environment, { isBad: true });
  const good = [1, 2, 3].map((id) => invoke(environment, { id }));
  await expect(bad).rejects.toMatchObject({ type: "Runtime.ExitError" });
  expect(await Promise.all(good)).toEqual([1, 2, 3]);
});

test("an answer that comes after the time limit is nobody else's", async () => {
  const code = "export const handler = async ({ id }) => id;";
  await using environment = await start(functionOf(code, { timeoutMs: 50 }));
  // From here on the event loop looks at its timers before it looks at messages.
  await setImmediate();
  const first = invoke(environment, { id: 1 }).catch((error) => error.type);
  const second = invoke(environment, { id: 2 });
  // The engine is busy for longer than the limit: the limit is noticed first, the answers lie there already.
  for (const end = performance.now() + 150; performance.now() < end; );
  expect([1, "Sandbox.Timedout"]).toContain(await first);
  expect(await second).toBe(2);
});

test("a function has its own environment variables and not the engine's", async () => {
  process.env.TRESTLE_SECRET_OF_THE_ENGINE = "hidden";
  const code = "export const handler = async () => ({ ...process.env });";
  await using environment = await start(functionOf(code, { environment: { API_URL: "http://127.0.0.1:1" } }));
  delete process.env.TRESTLE_SECRET_OF_THE_ENGINE;
  expect(await invoke(environment)).toEqual({ API_URL: "http://127.0.0.1:1" });
});

test("the context is Lambda's", async () => {
  const code = `export const handler = async (_, context) => ({ ...context, remaining: context.getRemainingTimeInMillis() });`;
  const options = functionOf(code, { name: "acme-forward", memoryMb: 256, timeoutMs: 5000 });
  await using environment = await start(options);
  const context = (await invoke(environment)) as { readonly remaining: number; readonly awsRequestId: string };
  expect(context).toMatchObject({
    functionName: "acme-forward",
    functionVersion: "$LATEST",
    invokedFunctionArn: options.arn,
    memoryLimitInMB: "256",
    logGroupName: "/aws/lambda/acme-forward",
    awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(context.remaining).toBeGreaterThan(3000);
  expect(context.remaining).toBeLessThanOrEqual(5000);
});

test("NODE_OPTIONS of the function are its thread's", async () => {
  const code = "export const handler = async () => process.execArgv;";
  await using environment = await start(functionOf(code, { environment: { NODE_OPTIONS: "--enable-source-maps" } }));
  expect(await invoke(environment)).toEqual(["--enable-source-maps"]);
});

test("what a function prints comes line by line", async () => {
  const options = functionOf("export const handler = async () => { console.log('a\\nb'); console.error('c'); };");
  await using environment = await start(options);
  await invoke(environment);
  await options.output.until((lines) => lines.length === 3);
  expect(options.output.lines.toSorted()).toEqual(["a", "b", "c"]);
});

test("all that was printed has come when the environment is disposed", async () => {
  const code = "export const handler = async () => { for (let line = 0; line < 5000; line++) console.log(line); };";
  const options = functionOf(code);
  const environment = await start(options);
  await invoke(environment);
  await environment[Symbol.asyncDispose]();
  expect(options.output.lines).toHaveLength(5000);
});

test.for([
  ["a bundle that throws", "throw new Error('no scheme')", "index.handler", "no scheme"],
  ["a bundle that does not parse", "export const handler = (", "index.handler", "SyntaxError"],
  ["a missing export", "export const other = 1", "index.handler", "exports no function 'handler'"],
  ["a missing file", "export const handler = 1", "main.handler", "main.mjs"],
] as const)("does not start with %s, and says so", async ([, code, handler, message]) => {
  const options = functionOf(code, { handler });
  await using environment = new ExecutionEnvironment(options, noop);
  await expect(environment.started).rejects.toThrow(message);
  expect(options.output.lines).toContainEqual(expect.stringMatching(/^forward does not start: /));
});

test.for([
  ["answer", "'done'"],
  ["throw", "(() => { throw new Error('x') })()"],
  ["crash", "process.exit(1)"],
  ["time limit", "new Promise(() => setInterval(() => {}, 1000))"],
] as const)("is idle after the last invocation's %s", async ([, expression]) => {
  const code = `export const handler = async () => ${expression};`;
  await using environment = await start(functionOf(code, { timeoutMs: 200 }));
  const settled = invoke(environment).catch(noop);
  const idle = environment.whenIdle();
  await settled;
  await idle;
});

test("disposal fails what runs and waits", async () => {
  const code = "export const handler = () => new Promise(() => setInterval(() => {}, 1000));";
  const environment = await start(functionOf(code));
  const pending = [invoke(environment), invoke(environment)];
  const outcomes = Promise.allSettled(pending);
  await environment[Symbol.asyncDispose]();
  expect(await outcomes).toMatchObject([
    { status: "rejected", reason: { type: "Runtime.ExitError" } },
    { status: "rejected", reason: { type: "Runtime.ExitError" } },
  ]);
});
