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

/** With `true` it waits until all who asked have given up. */
export type Thaw = (isGivenUp?: boolean) => Promise<void>;

export interface TestDataPlane {
  readonly endpoint: string;
  /** Request lines, as they came. */
  readonly requests: readonly string[];
  /** Answers to the next requests, one each. */
  readonly refusals: Refusal[];
  /** Takes requests and does nothing with them until the returned function is called; then not those given up. */
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
  const held = new Set<Promise<unknown>>();
  let thawed: Promise<void> | undefined;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push(`${request.method} ${request.url}`);
    const body = await buffer(request);
    if (thawed !== undefined) {
      held.add(once(response, "close"));
      await thawed;
    }
    if (response.destroyed) return;
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
  const freeze = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    thawed = promise;
    return async (isGivenUp = false) => {
      if (isGivenUp) await Promise.all(held);
      thawed = undefined;
      resolve();
    };
  };
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, refusals, freeze };
}

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
