import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

/** What a thread needs to know of its function. */
export interface WorkerSettings {
  readonly name: string;
  readonly arn: string;
  readonly codeFolder: string;
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
}

export interface InvocationRequest {
  readonly requestId: string;
  /** JSON text, as Lambda's runtime is given it. */
  readonly event: string;
}

/** Asks a thread to say when all that it has printed is handed over. */
export type FlushRequest = "flush";

/** What a thread says: that its code is loaded, that its output is handed over, and how each invocation ended, in their order. */
export type Answer =
  | { readonly kind: "started" }
  | { readonly kind: "flushed" }
  | { readonly kind: "result"; readonly json: string; readonly durationMs: number }
  | { readonly kind: "error"; readonly type: string; readonly message: string; readonly durationMs: number };

type Handler = (event: unknown, context: object) => unknown;

const settings = workerData as WorkerSettings;
const port = parentPort;
if (port === null) throw new Error("this module runs in a worker thread");

const handle = await loadHandler();
const waiting: InvocationRequest[] = [];
let isRunning = false;

port.on("message", (request: InvocationRequest | FlushRequest) => {
  if (request === "flush") {
    process.stdout.write("", () =>
      process.stderr.write("", () => port.postMessage({ kind: "flushed" } satisfies Answer)),
    );
    return;
  }
  waiting.push(request);
  if (!isRunning) void runAll();
});
port.postMessage({ kind: "started" } satisfies Answer);

/** Lambda's rule: an environment runs one invocation at a time. */
async function runAll(): Promise<void> {
  isRunning = true;
  for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
    port?.postMessage(await run(request));
  }
  isRunning = false;
}

async function run({ requestId, event }: InvocationRequest): Promise<Answer> {
  const startedAt = performance.now();
  try {
    const result = await handle(JSON.parse(event), contextOf(requestId, startedAt));
    return { kind: "result", json: JSON.stringify(result) ?? "null", durationMs: performance.now() - startedAt };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    // Lambda's runtime prints what a handler throws.
    console.error(JSON.stringify({ errorType: name, errorMessage: message, stack, requestId }));
    return { kind: "error", type: name, message, durationMs: performance.now() - startedAt };
  }
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
function contextOf(requestId: string, startedAt: number): object {
  return {
    functionName: settings.name,
    functionVersion: "$LATEST",
    invokedFunctionArn: settings.arn,
    memoryLimitInMB: String(settings.memoryMb),
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${settings.name}`,
    logStreamName: "local",
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, settings.timeoutMs - (performance.now() - startedAt)),
  };
}

async function loadHandler(): Promise<Handler> {
  const separator = settings.handler.lastIndexOf(".");
  const file = join(settings.codeFolder, `${settings.handler.slice(0, separator)}.mjs`);
  const name = settings.handler.slice(separator + 1);
  const module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  const handler = module[name];
  if (typeof handler !== "function") throw new Error(`${file} exports no function '${name}'`);
  return handler as Handler;
}
