import { parseMembers } from "./json-service.ts";
import type { ManagedMapping, MappingCondition } from "./managed-mapping.ts";
import { type Service, type ServiceAnswer, ServiceError, type ServiceRequest } from "./service-endpoint.ts";

/**
 * Lambda's operations on event source mappings: a function may look at them, pause them and let them go on.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
 */
export function lambdaApi(mappings: readonly ManagedMapping[]): Service {
  return {
    answer(request) {
      const [, uuid] = path.exec(request.path) ?? [];
      const name = uuid === undefined ? undefined : `${request.method} ${uuid === "" ? "all" : "one"}`;
      const operation = name !== undefined && Object.hasOwn(operations, name) ? operations[name] : undefined;
      if (operation === undefined) {
        const message = `${request.method} ${request.path} is not performed here`;
        throw new ServiceError("UnknownOperationException", message, 404);
      }
      return operation(mappings, request, uuid ?? "");
    },
    refuse({ type, message, status }) {
      const body = { Type: status < 500 ? "User" : "Server", Message: message };
      return { status, headers: { "x-amzn-errortype": type }, body };
    },
  };
}

const path = /^\/2015-03-31\/event-source-mappings\/?([^/]*)\/?$/;

type Operation = (mappings: readonly ManagedMapping[], request: ServiceRequest, uuid: string) => ServiceAnswer;

const operations: Readonly<Record<string, Operation>> = {
  "GET all": (mappings, { query }) => {
    const functionName = query.get("FunctionName");
    const sourceArn = query.get("EventSourceArn");
    const selected = mappings
      .filter(({ plan }) => functionName === null || isNameOf(functionName, plan.functionArn))
      .filter(({ plan }) => sourceArn === null || sourceArn === plan.queueArn);
    const begin = Number(query.get("Marker") ?? 0);
    const end = begin + Number(query.get("MaxItems") ?? 100);
    return {
      status: 200,
      body: {
        EventSourceMappings: selected.slice(begin, end).map((mapping) => describe(mapping)),
        ...(end < selected.length ? { NextMarker: String(end) } : {}),
      },
    };
  },
  "GET one": (mappings, _, uuid) => ({ status: 200, body: describe(find(mappings, uuid)) }),
  "PUT one": (mappings, { body }, uuid) => {
    const mapping = find(mappings, uuid);
    const change = readChange(body);
    // What AWS answers while a change is under way.
    if (mapping.condition === "Disabling") {
      const message = `Cannot update the event source mapping ${mapping.plan.arn} because it is in use.`;
      throw new ServiceError("ResourceInUseException", message);
    }
    return { status: 202, body: describe(mapping, mapping.update(change)) };
  },
};

function find(mappings: readonly ManagedMapping[], uuid: string): ManagedMapping {
  const mapping = mappings.find(({ plan }) => plan.uuid === uuid);
  if (mapping !== undefined) return mapping;
  throw new ServiceError("ResourceNotFoundException", "The resource you requested does not exist.", 404);
}

/** A function is named by its name, its ARN or the ARN's end with the account. */
function isNameOf(name: string, functionArn: string): boolean {
  return name === functionArn || functionArn.endsWith(`:function:${name.replace(/^\d{12}:function:/, "")}`);
}

function describe({ plan, state, condition }: ManagedMapping, State: MappingCondition = condition): object {
  const { uuid, arn, batchSize, queueArn, functionArn, reportsBatchItemFailures } = plan;
  const MaximumConcurrency = state.maximumConcurrency;
  return {
    UUID: uuid,
    EventSourceMappingArn: arn,
    BatchSize: batchSize,
    MaximumBatchingWindowInSeconds: 0,
    EventSourceArn: queueArn,
    FunctionArn: functionArn,
    FunctionResponseTypes: reportsBatchItemFailures ? ["ReportBatchItemFailures"] : [],
    LastModified: state.modifiedAt / 1000,
    State,
    StateTransitionReason: "USER_INITIATED",
    ...(MaximumConcurrency === undefined ? {} : { ScalingConfig: { MaximumConcurrency } }),
  };
}

type Change = Parameters<ManagedMapping["update"]>[0];

/** @throws {ServiceError} for a change that is not performed here, or that AWS would refuse. */
function readChange(json: string): Change {
  const { Enabled, ScalingConfig, ...others } = parseMembers(json);
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalid(`a change of ${other} is not performed here`);
  if (Enabled !== undefined && typeof Enabled !== "boolean") throw invalid("Enabled is not true or false");
  return {
    ...(Enabled === undefined ? {} : { isEnabled: Enabled }),
    ...(ScalingConfig === undefined ? {} : { maximumConcurrency: readMaximum(ScalingConfig) }),
  };
}

/** Lambda's least and most; an empty ScalingConfig takes the limit away. */
function readMaximum(config: unknown): number | undefined {
  const maximum = (config as { readonly MaximumConcurrency?: unknown } | null)?.MaximumConcurrency;
  if (maximum === undefined || maximum === null) return undefined;
  if (Number.isInteger(maximum) && Number(maximum) >= 2 && Number(maximum) <= 1000) return Number(maximum);
  const [bound, limit] = Number(maximum) < 2 ? ["greater", 2] : ["less", 1000];
  const message = `1 validation error detected: Value '${maximum}' at 'scalingConfig.maximumConcurrency' failed to satisfy constraint: Member must have value ${bound} than or equal to ${limit}`;
  throw new ServiceError("ValidationException", message);
}

function invalid(message: string): ServiceError {
  return new ServiceError("InvalidParameterValueException", message);
}
