import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startMosquitto, type TestBroker } from "../test/support/mosquitto.ts";
import { connectAs } from "../test/support/mqtt-client.ts";
import { freePort } from "../test/support/ports.ts";
import { type RunningEngine, runEngine } from "./run-engine.ts";
import { bundle, httpApiResources, Output, temporaryFolder, writeAssembly } from "./testing.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await startMosquitto(
    ({ port, user }) =>
      new Map([
        [
          "mosquitto.conf",
          `user ${user}\nlistener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_dest stderr\n`,
        ],
      ]),
  );
});

afterAll(() => broker[Symbol.asyncDispose]());

const code = `
  export const handler = async ({ Records }) => {
    for (const { body } of Records) console.log(body);
  };`;

const resources = {
  Orders: { Type: "AWS::SQS::Queue" },
  Forward: {
    Type: "AWS::Lambda::Function",
    Properties: { Code: { S3Key: "code.zip" }, Handler: "index.handler", Runtime: "nodejs24.x" },
  },
  Mapping: {
    Type: "AWS::Lambda::EventSourceMapping",
    Properties: { EventSourceArn: { "Fn::GetAtt": "Orders.Arn" }, FunctionName: { Ref: "Forward" } },
  },
  Rule: {
    Type: "AWS::IoT::TopicRule",
    Properties: {
      RuleName: "orders",
      TopicRulePayload: {
        Sql: "SELECT * FROM 'v1/+'",
        AwsIotSqlVersion: "2016-03-23",
        Actions: [{ Sqs: { QueueUrl: { Ref: "Orders" } } }],
      },
    },
  },
};

test("messages that are sent while engines stop and start all arrive", async () => {
  const assemblyFolder = writeAssembly({ Resources: resources }, { "code.zip": bundle(code) });
  const dataFolder = temporaryFolder();
  const output = new Output();
  const run = (): Promise<RunningEngine> =>
    runEngine({
      assemblyFolder,
      dataFolder,
      parameters: {},
      secrets: () => undefined,
      broker: { url: broker.url },
      onOutput: (_, line) => output.add(line),
      log: () => {},
    });
  const sent = Array.from({ length: 3000 }, (_, index) => `m${index}`);

  let engine = await run();
  await using device = await connectAs(broker.url, "d42");
  const published = Promise.all(sent.map((body) => device.publish("v1/d42", body)));
  for (const part of [500, 1500]) {
    await output.until((lines) => lines.length >= part);
    await engine[Symbol.asyncDispose]();
    engine = await run();
  }
  await published;
  await output.until((lines) => new Set(lines).size === sent.length);
  await engine[Symbol.asyncDispose]();
  expect(new Set(output.lines)).toEqual(new Set(sent));
  // In order a stop acknowledges all that was taken and waits for all that runs: nothing comes twice.
  expect(output.lines).toHaveLength(sent.length);
});

test("after a change of its topics a message comes once", async () => {
  const output = new Output();
  const dataFolder = temporaryFolder();
  const runWith = (filter: string) => {
    const changed = structuredClone(resources);
    changed.Rule.Properties.TopicRulePayload.Sql = `SELECT * FROM '${filter}'`;
    return runEngine({
      assemblyFolder: writeAssembly({ Resources: changed }, { "code.zip": bundle(code) }),
      dataFolder,
      parameters: {},
      secrets: () => undefined,
      broker: { url: broker.url, clientId: "changed" },
      onOutput: (_, line) => output.add(line),
      log: () => {},
    });
  };
  await (await runWith("v2/+/x"))[Symbol.asyncDispose]();
  await using engine = await runWith("v2/d42/+");
  await using device = await connectAs(broker.url, "d42");
  // By the session's old filter, were it still there, Mosquitto would deliver each of these a second time.
  for (const text of ["a", "b"]) await device.publish("v2/d42/x", text);
  await output.until((lines) => lines.includes("b"));
  expect(output.lines).toEqual(["a", "b"]);
  expect(engine.counts.received).toBe(2);
});

test("rules that select the same message, by the same filter or by another one, run once each", async () => {
  const { Orders, Forward, Mapping } = resources;
  const select = (name: string, filter: string) => {
    const changed = structuredClone(resources.Rule);
    changed.Properties.RuleName = name;
    changed.Properties.TopicRulePayload.Sql = `SELECT '${name}' AS rule, encode(*, 'base64') AS data FROM '${filter}'`;
    return changed;
  };
  const rules = {
    Some: select("some", "v3/+"),
    Same: select("same", "v3/+"),
    One: select("one", "v3/d42"),
    // Of these, Mosquitto's `#` selects `v3/d42` itself, and AWS's does not.
    Below: select("below", "v3/d42/#"),
  };
  const output = new Output();
  await using _ = await runEngine({
    assemblyFolder: writeAssembly({ Resources: { Orders, Forward, Mapping, ...rules } }, { "code.zip": bundle(code) }),
    dataFolder: temporaryFolder(),
    parameters: {},
    secrets: () => undefined,
    broker: { url: broker.url, clientId: "overlap" },
    onOutput: (_, line) => output.add(line),
    log: () => {},
  });
  await using device = await connectAs(broker.url, "d42");
  const lines = (text: string) => ["one", "same", "some"].map((rule) => `{"rule":"${rule}","data":"${btoa(text)}"}`);
  for (const text of ["a", "b"]) {
    await device.publish("v3/d42", text);
    await output.until((printed) => lines(text).every((line) => printed.includes(line)));
  }
  expect(output.lines.toSorted()).toEqual(["a", "b"].flatMap(lines).toSorted());
});

test("what a rule republishes is heard by subscribers, and by the rules that select it exactly once", async () => {
  const rule = (RuleName: string, Sql: string, ...Actions: readonly object[]) => ({
    Type: "AWS::IoT::TopicRule",
    Properties: { RuleName, TopicRulePayload: { Sql, AwsIotSqlVersion: "2016-03-23", Actions } },
  });
  const { Orders, Forward, Mapping } = resources;
  const toOrders = { Sqs: { QueueUrl: { Ref: "Orders" } } };
  const down = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a substitution template
    Topic: "down/${topic(2)}",
    Qos: 1,
    Headers: { ContentType: "text/plain", UserProperties: [{ Key: "from", Value: "up" }] },
  };
  const rules = {
    Up: rule("up", "SELECT * FROM 'up/+'", { Republish: down }, { Republish: { Topic: "$$aws/rules/ingest/x" } }),
    Down: rule(
      "down",
      "SELECT encode(*, 'base64') AS down, get_user_properties('from') AS user FROM 'down/+'",
      toOrders,
    ),
    Ingest: rule("ingest", "SELECT encode(*, 'base64') AS ingest, topic() AS topic", toOrders),
  };
  const output = new Output();
  await using engine = await runEngine({
    assemblyFolder: writeAssembly({ Resources: { Orders, Forward, Mapping, ...rules } }, { "code.zip": bundle(code) }),
    dataFolder: temporaryFolder(),
    parameters: {},
    secrets: () => undefined,
    broker: { url: broker.url, clientId: "republish" },
    onOutput: (_, line) => output.add(line),
    log: () => {},
  });
  await using device = await connectAs(broker.url, "d42");
  await device.subscribe(["down/#"]);
  const heard = (text: string) => [`{"down":"${btoa(text)}","user":["up"]}`, `{"ingest":"${btoa(text)}","topic":"x"}`];
  for (const text of ["a", "b"]) {
    await device.publish("up/d42", text);
    await output.until((lines) => heard(text).every((line) => lines.includes(line)));
  }
  const { packet } = await device.until(({ payload }) => payload.toString() === "b");
  expect({ qos: packet.qos, retain: packet.retain, properties: packet.properties }).toMatchObject({
    qos: 1,
    retain: false,
    properties: { contentType: "text/plain", userProperties: { from: "up" } },
  });
  expect(device.texts).toEqual(["down/d42 a", "down/d42 b"]);
  expect(output.lines.toSorted()).toEqual(["a", "b"].flatMap(heard).toSorted());
  expect(engine.counts.received).toBe(6);
});

test("commands find the services of a running engine in its data folder, and nobody else does", async () => {
  const dataFolder = temporaryFolder();
  const file = join(dataFolder, "services.json");
  const engine = await runEngine({
    assemblyFolder: writeAssembly({ Resources: resources }, { "code.zip": bundle(code) }),
    dataFolder,
    parameters: {},
    secrets: () => undefined,
    broker: { url: broker.url, clientId: "services" },
    log: () => {},
  });
  const { environment, ledgerUrl } = JSON.parse(readFileSync(file, "utf8"));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(environment).toMatchObject({
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_SQS: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f-]{36}\/sqs$/),
  });
  const ledger = await fetch(ledgerUrl);
  expect({ status: ledger.status, lines: await ledger.json() }).toEqual({
    status: 200,
    lines: [expect.objectContaining({ account: "orders", received: 0, pending: 0 })],
  });
  await engine[Symbol.asyncDispose]();
  expect(existsSync(file)).toBe(false);
});

test("what a function publishes by IoT Core's data plane reaches the broker, and who called it hears of it", async () => {
  const dataFolder = temporaryFolder();
  const publish = `
    export const handler = async ({ body }) => {
      const url = process.env.AWS_ENDPOINT_URL_IOT_DATA_PLANE + "/topics/" + encodeURIComponent("Push/d42");
      const { status } = await fetch(url + "?qos=1&retain=true", { method: "POST", body });
      return { statusCode: status };
    };`;
  await using engine = await runEngine({
    assemblyFolder: writeAssembly({ Resources: httpApiResources(["POST /push"]) }, { "code.zip": bundle(publish) }),
    dataFolder,
    parameters: {},
    secrets: () => undefined,
    broker: { url: broker.url, clientId: "push" },
    log: () => {},
  });
  const { httpApi } = JSON.parse(readFileSync(join(dataFolder, "services.json"), "utf8"));
  expect(httpApi).toEqual(engine.httpApi);
  const headers = { authorization: `Bearer ${httpApi.token}`, "content-type": "text/plain" };
  const answer = await fetch(`${httpApi.url}/push`, { method: "POST", headers, body: "stop" });
  expect(answer.status).toBe(200);
  await using device = await connectAs(broker.url, "d42");
  await device.subscribe(["Push/d42"]);
  const { payload, packet } = await device.until(() => true);
  expect({ text: payload.toString(), isRetained: packet.retain }).toEqual({ text: "stop", isRetained: true });
});

test("nothing is left behind where the broker is not there", async () => {
  const options = {
    assemblyFolder: writeAssembly({ Resources: resources }, { "code.zip": bundle(code) }),
    dataFolder: temporaryFolder(),
    parameters: {},
    secrets: () => undefined,
    log: () => {},
  };
  const nobody = `mqtt://127.0.0.1:${await freePort()}`;
  await expect(runEngine({ ...options, broker: { url: nobody } })).rejects.toMatchObject({ code: "ERR_BROKER" });
  await using engine = await runEngine({ ...options, broker: { url: broker.url, clientId: "other" } });
  expect(engine.counts.received).toBe(0);
});

test.for([
  ["no broker is named", [], 2, "node engine/main.ts --broker"],
  ["there is no template", ["--assembly", "/nowhere"], 1, "/nowhere/manifest.json is not a synthesized template's"],
  ["a minute is no time", ["--minute-ms", "0"], 2, "--minute-ms 0 is not a number of milliseconds"],
  ["a port is none", ["--http-port", "x"], 2, "--http-port x is not a port"],
  ["a parameter is no pair", ["--parameter", "ApiUrl"], 2, "--parameter ApiUrl is not KEY=VALUE"],
] as const)("the program ends with one message where %s", async ([, args, code, message]) => {
  const address = args.length === 0 ? [] : ["--broker", broker.url];
  const program = startProgram([...address, "--data", temporaryFolder(), ...args]);
  const [output, [status]] = await Promise.all([text(program.stderr), once(program, "close")]);
  expect(output).toContain(message);
  expect(output).not.toContain("    at ");
  expect(status).toBe(code);
});

test("the program ends where a rule is refused although functions run already", async () => {
  const broken = structuredClone(resources);
  broken.Rule.Properties.TopicRulePayload.Sql = "SELECT";
  const assembly = writeAssembly({ Resources: broken }, { "code.zip": bundle(code) });
  const program = startProgram(["--broker", broker.url, "--data", temporaryFolder(), "--assembly", assembly]);
  const [output, [status]] = await Promise.all([text(program.stderr), once(program, "close")]);
  expect(output).toMatch(/^Rule: [\s\S]*\(ERR_SQL\)\n$/);
  expect(status).toBe(1);
});

test("the program runs until it is told to end", async () => {
  const assembly = writeAssembly({ Resources: resources }, { "code.zip": bundle(code) });
  const data = temporaryFolder();
  const program = startProgram(["--broker", broker.url, "--data", data, "--assembly", assembly, "--client-id", "main"]);
  const errors = text(program.stderr);
  const [line] = await once(program.stdout.setEncoding("utf8"), "data");
  expect(line).toBe("engine: running\n");
  program.kill("SIGTERM");
  const [status, signal] = await once(program, "close");
  expect({ status, signal, errors: await errors }).toEqual({ status: 0, signal: null, errors: "" });
});

test("the program says where the HTTP API is, and where its token", async () => {
  const resourcesOfApi = httpApiResources(["$default"]);
  const assembly = writeAssembly({ Resources: resourcesOfApi }, { "code.zip": bundle(code) });
  const [data, port] = [temporaryFolder(), await freePort()];
  const args = ["--data", data, "--assembly", assembly, "--client-id", "api", "--http-port", String(port)];
  const program = startProgram(["--broker", broker.url, ...args]);
  let output = "";
  for await (const text of program.stdout.setEncoding("utf8")) {
    output += text;
    if (output.includes("http api")) break;
  }
  expect(output).toBe(
    `engine: running\nhttp api: http://127.0.0.1:${port}, with the token in ${join(data, "http-api-token")}\n`,
  );
  program.kill("SIGTERM");
  await once(program, "close");
});

function startProgram(args: readonly string[]) {
  const main = new URL("main.ts", import.meta.url).pathname;
  const program = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => {
    program.kill("SIGKILL");
  });
  return program;
}
