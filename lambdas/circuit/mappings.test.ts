import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { expect, onTestFinished, test } from "vitest";
import { LambdaMappings } from "./mappings.ts";

/** Lambda, as far as it has event source mappings; two on a page, to have a second one. */
async function startLambda(states: Record<string, string>) {
  const requests: string[] = [];
  const ids = Object.keys(states);
  const describe = (id: string) => ({
    UUID: id,
    State: states[id],
    EventSourceArn: `arn:aws:sqs:eu-central-1:1:${id}`,
  });
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const id = url.pathname.split("/").at(-1) ?? "";
    const body = await text(request);
    requests.push(`${request.method} ${id}${body}`);
    if (request.method === "GET") {
      const begin = Number(url.searchParams.get("Marker") ?? 0);
      const page = { EventSourceMappings: ids.slice(begin, begin + 2).map(describe) };
      response.end(JSON.stringify(begin + 2 < ids.length ? { ...page, NextMarker: String(begin + 2) } : page));
    } else if (states[id]?.endsWith("ing")) {
      response.writeHead(400, { "x-amzn-errortype": "ResourceInUseException" }).end('{"Message":"in use"}');
    } else {
      states[id] = JSON.parse(body).Enabled ? "Enabling" : "Disabling";
      response.writeHead(202).end(JSON.stringify(describe(id)));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new LambdaClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: "eu-central-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const busy: string[] = [];
  const mappings = new LambdaMappings({
    client,
    functionName: "retry",
    queueName: (route) => `retry-${route}`,
    onBusy: (route) => busy.push(route),
  });
  return { mappings, requests, busy };
}

test("pauses and resumes the mapping of a route's queue", async () => {
  const states = { "retry-a": "Enabled", "retry-b": "Enabled", "retry-c": "Disabled" };
  const { mappings, requests } = await startLambda(states);
  await mappings.setEnabled("a", false);
  await mappings.setEnabled("c", true);
  expect(states).toEqual({ "retry-a": "Disabling", "retry-b": "Enabled", "retry-c": "Enabling" });
  const [first, second, ...rest] = requests;
  expect([first, second]).toEqual(["GET event-source-mappings", "GET event-source-mappings"]); // both pages, once
  expect(rest).toEqual(['PUT retry-a{"Enabled":false}', 'PUT retry-c{"Enabled":true}']);
});

test.for([
  ["Enabled", true],
  ["Enabling", true],
  ["Disabled", false],
  ["Disabling", false],
] as const)("leaves a mapping alone that is %s where enabled: %s is wanted", async ([state, isEnabled]) => {
  const { mappings, requests } = await startLambda({ "retry-a": state });
  await mappings.setEnabled("a", isEnabled);
  expect(requests).toEqual(["GET event-source-mappings"]);
});

test.for([
  ["Enabling", false],
  ["Disabling", true],
  ["Updating", true],
] as const)("leaves a mapping that is %s to the next time", async ([state, isEnabled]) => {
  const { mappings, busy } = await startLambda({ "retry-a": state });
  await mappings.setEnabled("a", isEnabled);
  expect(busy).toEqual(["a"]);
});

test("names a queue that no mapping reads", async () => {
  const { mappings } = await startLambda({ "retry-a": "Enabled" });
  await expect(mappings.setEnabled("b", true)).rejects.toThrow(
    "no event source mapping of retry reads the queue retry-b",
  );
});
