import { EventEmitter, once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { onTestFinished } from "vitest";
import type { Clock, Timer } from "./services/clock.ts";
import type { FunctionOptions } from "./services/execution-environment.ts";

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-engine-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with a bundle: `index.mjs` with the given text. */
export function bundle(code: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "index.mjs"), code);
  return folder;
}

/** A function whose bundle is the given text, and what it prints. */
export function functionOf(code: string, rest: Partial<FunctionOptions> = {}): FunctionOptions & { output: Output } {
  const output = new Output();
  return {
    name: "forward",
    arn: "arn:aws:lambda:us-east-1:000000000000:function:forward",
    codeFolder: bundle(code),
    handler: "index.handler",
    timeoutMs: 10_000,
    memoryMb: 128,
    environment: {},
    onOutput: (line) => output.add(line),
    output,
    ...rest,
  };
}

/** Lines that came, and those to come. */
export class Output {
  readonly lines: string[] = [];
  readonly #arrivals = new EventEmitter();

  add(line: string): void {
    this.lines.push(line);
    this.#arrivals.emit("line");
  }

  /** Resolves when the lines are as wanted. */
  async until(isWanted: (lines: readonly string[]) => boolean): Promise<void> {
    while (!isWanted(this.lines)) await once(this.#arrivals, "line");
  }
}

/** Time that passes when a test says so: three days in milliseconds. */
export class VirtualClock implements Clock {
  #time: number;
  #timers: readonly { readonly at: number; readonly callback: () => void }[] = [];

  /** @param time The time at first, in milliseconds since 1970. */
  constructor(time = Date.UTC(2026, 0, 1)) {
    this.#time = time;
  }

  readonly now = (): number => this.#time;

  readonly setTimer = (callback: () => void, ms: number): Timer => {
    const timer = { at: this.#time + Math.max(0, ms), callback };
    // Those of one time run in the order in which they were set.
    this.#timers = [...this.#timers, timer].toSorted((a, b) => a.at - b.at);
    return { clear: () => this.#remove(timer) };
  };

  /** When the next timer is due, undefined where there is none. */
  get nextTimerAt(): number | undefined {
    return this.#timers[0]?.at;
  }

  /** Lets a time in milliseconds pass: runs the timers that are due meanwhile, each at its own time. */
  advance(ms: number): void {
    const end = this.#time + ms;
    for (let [next] = this.#timers; next !== undefined && next.at <= end; [next] = this.#timers) {
      this.#time = next.at;
      this.#remove(next);
      next.callback();
    }
    this.#time = end;
  }

  #remove(timer: object): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
  }
}

/** Writes a cloud assembly with one stack; `assets` are folders by the object key that the template names. */
export function writeAssembly(template: object, assets: Readonly<Record<string, string>> = {}): string {
  const folder = join(temporaryFolder(), "cdk.out");
  mkdirSync(folder);
  const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
  write("manifest.json", {
    artifacts: {
      "acme-test.assets": { type: "cdk:asset-manifest" },
      "acme-test": { type: "aws:cloudformation:stack", properties: { templateFile: "acme-test.template.json" } },
    },
  });
  write("acme-test.template.json", template);
  const files = Object.entries(assets).map(([objectKey, path]) => [
    objectKey,
    { source: { path: relative(folder, path), packaging: "zip" }, destinations: { here: { objectKey } } },
  ]);
  write("acme-test.assets.json", { files: Object.fromEntries(files) });
  return folder;
}

/** The function `Forward` behind the HTTP API `Api` with IAM authorization, as CDK writes it. */
export function httpApiResources(routeKeys: readonly string[], functionProperties: object = {}) {
  const ApiId = { Ref: "Api" };
  const Target = { "Fn::Join": ["", ["integrations/", { Ref: "Integration" }]] };
  const routes = routeKeys.map((RouteKey, index): [string, TestResource] => [
    `Route${index}`,
    { Type: "AWS::ApiGatewayV2::Route", Properties: { ApiId, RouteKey, AuthorizationType: "AWS_IAM", Target } },
  ]);
  return {
    Forward: {
      Type: "AWS::Lambda::Function",
      Properties: {
        Code: { S3Key: "code.zip" },
        Handler: "index.handler",
        Runtime: "nodejs24.x",
        ...functionProperties,
      },
    },
    Api: { Type: "AWS::ApiGatewayV2::Api", Properties: { Name: "push", ProtocolType: "HTTP" } },
    Stage: {
      Type: "AWS::ApiGatewayV2::Stage",
      Properties: { ApiId, AutoDeploy: true, StageName: "$default" },
    },
    Integration: {
      Type: "AWS::ApiGatewayV2::Integration",
      Properties: {
        ApiId,
        IntegrationType: "AWS_PROXY",
        IntegrationUri: { "Fn::GetAtt": ["Forward", "Arn"] },
        PayloadFormatVersion: "2.0",
      },
    },
    Permission: {
      Type: "AWS::Lambda::Permission",
      Properties: {
        Action: "lambda:InvokeFunction",
        FunctionName: { "Fn::GetAtt": ["Forward", "Arn"] },
        Principal: "apigateway.amazonaws.com",
        SourceArn: {
          "Fn::Join": [
            "",
            ["arn:aws:execute-api:", { Ref: "AWS::Region" }, ":", { Ref: "AWS::AccountId" }, ":", ApiId, "/*"],
          ],
        },
      },
    },
    ...Object.fromEntries(routes),
  } satisfies Record<string, TestResource>;
}

interface TestResource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}
