import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { PushOperationId } from "../../scheme/command/push-operations.ts";
import { isDeviceId } from "../../scheme/device-id.ts";
import type { Commands } from "../commands/commands.ts";
import { type Answer, answerProblem } from "./answer.ts";
import { refuseDeviceId } from "./device-id-error.ts";
import type { Action, FeedParts, OperationRequest } from "./operation.ts";
import { feedOperations, operations } from "./operations.ts";
import { PushError } from "./push-error.ts";
import { type PushRequest, readEvent } from "./push-request.ts";
import type { Report } from "./report.ts";
import { findOperation } from "./router.ts";
import { type RunOnceOptions, runOnce } from "./run-once.ts";
import { toPushError } from "./to-push-error.ts";

export interface PushOptions extends FeedParts, RunOnceOptions {
  /** Undefined where the scheme has none. */
  readonly commands: Commands | undefined;
  readonly report: Report;
}

/** What is known of a request by the time it is answered. */
interface Known {
  operation?: PushOperationId;
  deviceId?: string;
}

/** Answers the events of an API Gateway HTTP API; it never rejects. */
export function createPush(
  options: PushOptions,
): (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2> {
  const { report, now } = options;
  return async (event) => {
    const receivedAt = now();
    const known: Known = {};
    const { answer, cause } = await answerOrProblem(readEvent(event, receivedAt), known, options);
    const { operation, deviceId } = known;
    report.add({ operation, deviceId, answer, durationMs: now() - receivedAt, cause });
    const { status: statusCode, headers, body } = answer;
    return { statusCode, headers: { ...headers, "cache-control": "no-store" }, body };
  };
}

async function answerOrProblem(
  request: PushRequest,
  known: Known,
  options: PushOptions,
): Promise<{ readonly answer: Answer; readonly cause?: unknown }> {
  try {
    return { answer: await answer(request, known, options) };
  } catch (thrown) {
    const error = toPushError(thrown);
    return { answer: answerProblem(error), cause: error.cause };
  }
}

async function answer(request: PushRequest, known: Known, options: PushOptions): Promise<Answer> {
  const { operation, parameters } = findOperation(request);
  known.operation = operation;
  const deviceId = parameters.get("deviceId");
  if (deviceId !== undefined && !isDeviceId(deviceId)) throw refuseDeviceId(deviceId);
  if (deviceId !== undefined) known.deviceId = deviceId;
  const commandId = parameters.get("commandId") ?? "";
  const action = prepare(operation, { ...request, deviceId: deviceId ?? "", commandId }, options);
  return await runOnce(action, request, operation, options);
}

function prepare(id: PushOperationId, request: OperationRequest, { commands, ...parts }: PushOptions): Action {
  if (commands !== undefined) return operations[id](request, { ...parts, commands });
  const operation = feedOperations[id];
  if (operation === undefined) throw new PushError("NOT_FOUND", "the scheme has no commands");
  return operation(request, parts);
}
