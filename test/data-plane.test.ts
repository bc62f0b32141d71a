import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { DataPlaneConnection } from "../engine/data-plane-connection.ts";
import { iotDataPlane } from "../engine/services/iot-data-plane.ts";
import type { MessageBroker } from "../engine/services/message-broker.ts";
import { ServiceEndpoint } from "../engine/services/service-endpoint.ts";
import { DataPlanePublisher } from "../lambdas/publish/data-plane-publisher.ts";
import { testPublisher } from "../lambdas/publish/publisher.suite.ts";
import { startOpenBroker } from "../lambdas/publish/test-broker.ts";
import type { TestBroker } from "./support/mosquitto.ts";
import { freePort } from "./support/ports.ts";

let broker: TestBroker;
let connections = 0;

beforeAll(async () => {
  broker = await startOpenBroker();
});

afterAll(() => broker[Symbol.asyncDispose]());

describe("a publisher, by the engine's data plane in front of Mosquitto, does as every publisher", () => {
  testPublisher({
    start: async () => {
      const service = { isHanging: false };
      return {
        publisher: await publisherOf(broker.url, service),
        brokerUrl: broker.url,
        freeze: async () => {
          service.isHanging = true;
          return async () => {
            service.isHanging = false;
          };
        },
      };
    },
    startUnreachable: async () => publisherOf(`mqtt://127.0.0.1:${await freePort()}`, { isHanging: false }),
  });
});

/** Takes what it is asked and answers nothing. */
const hanging: MessageBroker = { publish: () => new Promise(() => {}), readRetained: () => new Promise(() => {}) };

async function publisherOf(url: string, service: { readonly isHanging: boolean }): Promise<DataPlanePublisher> {
  const connection = new DataPlaneConnection({ url, clientId: `data-plane-${connections++}` });
  const endpoint = await ServiceEndpoint.start({
    iotdata: iotDataPlane(() => (service.isHanging ? hanging : connection)),
  });
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = { endpoint: endpoint.url("iotdata"), region: "us-east-1", credentials };
  const publisher = new DataPlanePublisher({ name: "aws-iot", client });
  onTestFinished(async () => {
    await publisher[Symbol.asyncDispose]();
    await endpoint[Symbol.asyncDispose]();
    await connection[Symbol.asyncDispose]();
  });
  return publisher;
}
