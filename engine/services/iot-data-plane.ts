import { randomUUID } from "node:crypto";
import { MessageError } from "../../scheme/message-error.ts";
import { checkTopicName } from "../../scheme/topic-name.ts";
import { breaksConnection, invalid } from "./iot-publication.ts";
import { readPublish } from "./iot-publish-request.ts";
import { BrokerFailure, type MessageBroker } from "./message-broker.ts";
import { type Service, type ServiceAnswer, ServiceError, type ServiceRequest } from "./service-endpoint.ts";

/**
 * IoT Core's data plane, as far as commands need it: Publish and GetRetainedMessage, performed by the engine's broker.
 *
 * It does not throttle: IoT Core takes one retained message a second for a topic. When a retained message was published
 * nobody knows here, so `lastModifiedTime` is absent.
 *
 * @param broker Undefined while there is none.
 * @see https://docs.aws.amazon.com/iot/latest/apireference/API_Operations_AWS_IoT_Data_Plane.html
 */
export function iotDataPlane(broker: () => MessageBroker | undefined): Service {
  return {
    async answer(request) {
      const [, operation = "", label] = /^\/(topics|retainedMessage)\/(.+)$/.exec(request.path) ?? [];
      const perform = operations[operation];
      if (perform === undefined || label === undefined) {
        throw new ServiceError("UnknownOperationException", `${request.path} is not performed here`, 404);
      }
      const { method, run } = perform;
      if (request.method !== method) {
        throw new ServiceError("MethodNotAllowedException", `${request.method} is not ${method}`, 405);
      }
      const topic = readTopic(label);
      const known = broker();
      if (known === undefined) throw unavailable("the engine is not connected to its broker yet");
      return await inServiceWords(() => run(known, topic, request));
    },
    refuse({ type, message, status }) {
      return { status, headers: { "x-amzn-errortype": type }, body: { message, traceId: randomUUID() } };
    },
  };
}

interface Operation {
  readonly method: string;
  run(broker: MessageBroker, topic: string, request: ServiceRequest): Promise<ServiceAnswer>;
}

/** By the first part of the path. */
const operations: Readonly<Record<string, Operation>> = {
  topics: {
    method: "POST",
    run: async (broker, topic, request) => {
      await broker.publish(readPublish(topic, request));
      return { status: 200, body: { message: "OK", traceId: randomUUID() } };
    },
  },
  retainedMessage: {
    method: "GET",
    run: async (broker, topic) => {
      const message = await broker.readRetained(topic);
      if (message === undefined) {
        throw new ServiceError("ResourceNotFoundException", `No retained message exists for topic ${topic}`, 404);
      }
      const { payload, qos, userProperties } = message;
      const properties = JSON.stringify(userProperties.map(([name, value]) => ({ [name]: value })));
      return {
        status: 200,
        body: {
          topic,
          payload: Buffer.from(payload).toString("base64"),
          qos,
          ...(userProperties.length === 0 ? {} : { userProperties: Buffer.from(properties).toString("base64") }),
        },
      };
    },
  },
};

/** A topic that may be published on: with `$` before it, only Basic Ingest's, whose prefix counts in no limit. */
function readTopic(label: string): string {
  const topic = decodeLabel(label);
  const [, rest] = /^\$aws\/rules\/[^/]+\/(.*)$/s.exec(topic) ?? [];
  if (topic.startsWith("$") && rest === undefined) throw invalid(`${topic} is a reserved topic`);
  if (/[+#]/.test(topic)) throw invalid(`${topic} is no topic name: it holds a wildcard`);
  if (breaksConnection(topic)) throw invalid("the topic holds characters that MQTT does not take");
  try {
    checkTopicName(rest ?? topic);
    return topic;
  } catch (error) {
    if (error instanceof MessageError) throw invalid(error.message);
    throw error;
  }
}

function decodeLabel(label: string): string {
  try {
    return decodeURIComponent(label);
  } catch {
    throw invalid("the topic is no percent-encoding of UTF-8");
  }
}

async function inServiceWords(run: () => Promise<ServiceAnswer>): Promise<ServiceAnswer> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof BrokerFailure)) throw error;
    throw error.isRefusal ? new ServiceError("UnauthorizedException", error.message, 401) : unavailable(error.message);
  }
}

function unavailable(message: string): ServiceError {
  return new ServiceError("ServiceUnavailableException", message, 503);
}
