import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { connectAs, type TestClient } from "../../test/support/mqtt-client.ts";

/** What the service refuses, in AWS's words. */
export interface Refusal {
  readonly status: number;
  readonly type: string;
}

/** `drop` is for a test whose callers have all given up: what came meanwhile is not done, as by a service that looks. */
export type Thaw = (held: "answer" | "drop") => Promise<void>;

export interface TestDataPlane {
  readonly endpoint: string;
  /** Request lines, as they came. */
  readonly requests: readonly string[];
  /** Answers to the next requests, one each. */
  readonly refusals: Refusal[];
  /** Takes requests and does nothing with them until the returned function is called. */
  freeze(): Thaw;
}

/**
 * IoT Core's data plane, as far as commands need it, in front of a real broker: Publish and GetRetainedMessage, of which
 * the latter is a subscription of its own. It ends with the test.
 *
 * @see https://docs.aws.amazon.com/iot/latest/apireference/API_Operations_AWS_IoT_Data_Plane.html
 */
export async function startDataPlane(brokerUrl: string): Promise<TestDataPlane> {
  const publisher = await connectAs(brokerUrl, "data-plane");
  const requests: string[] = [];
  const refusals: Refusal[] = [];
  let thawed: Promise<"answer" | "drop"> | undefined;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === lastOneIn) {
      response.end();
      return;
    }
    requests.push(`${request.method} ${request.url}`);
    const body = await buffer(request);
    if ((await thawed) === "drop" || response.destroyed) {
      response.destroy();
      return;
    }
    const refusal = refusals.shift();
    if (refusal !== undefined) return refuse(response, refusal);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const [, operation, label = ""] = pathname.split("/");
    const topic = decodeURIComponent(label);
    if (operation === "topics") return await publish(publisher, topic, searchParams, body, response);
    const payload = await readRetained(brokerUrl, topic);
    if (payload === undefined) return refuse(response, { status: 404, type: "ResourceNotFoundException" });
    response.end(JSON.stringify({ topic, payload: payload.toString("base64"), qos: 1, lastModifiedTime: Date.now() }));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await publisher[Symbol.asyncDispose]();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const freeze = (): Thaw => {
    const { promise, resolve } = Promise.withResolvers<"answer" | "drop">();
    thawed = promise;
    return async (held) => {
      // What was sent before has come when this has: nothing is taken for new that was given up.
      await fetch(`${endpoint}${lastOneIn}`);
      thawed = undefined;
      resolve(held);
    };
  };
  return { endpoint, requests, refusals, freeze };
}

/** A path of the test's own, which is answered at once. */
const lastOneIn = "/last-one-in";

async function publish(
  publisher: TestClient,
  topic: string,
  query: URLSearchParams,
  payload: Buffer,
  response: ServerResponse,
): Promise<void> {
  if (payload.byteLength > 131_072) return refuse(response, { status: 413, type: "RequestEntityTooLargeException" });
  const expiry = query.get("messageExpiry");
  await publisher.publish(topic, payload, {
    qos: query.get("qos") === "1" ? 1 : 0,
    retain: query.get("retain") === "true",
    ...(expiry === null ? {} : { properties: { messageExpiryInterval: Number(expiry) } }),
  });
  response.end();
}

async function readRetained(brokerUrl: string, topic: string): Promise<Buffer | undefined> {
  await using reader = await connectAs(brokerUrl, "data-plane-reader");
  const end = `end/${reader.mqtt.options.clientId}`;
  await reader.subscribe([topic, end]);
  // Mosquitto sends a subscription's retained message before anything that is published later.
  await reader.publish(end, "");
  await reader.until((message) => message.topic === end);
  return reader.messages.find((message) => message.topic === topic)?.payload;
}

function refuse(response: ServerResponse, { status, type }: Refusal): void {
  response.writeHead(status, { "content-type": "application/json", "x-amzn-errortype": type });
  response.end(JSON.stringify({ message: `refused with ${type}` }));
}
