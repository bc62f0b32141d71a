import { EngineError } from "../engine-error.ts";
import type { FunctionPlan, MappingPlan, PermissionPlan, ReadingContext } from "./plan.ts";
import { noEffect, type Properties, type PropertyTable, performed } from "./properties.ts";

export const functionProperties: PropertyTable = {
  Architectures: noEffect("bundles are JavaScript"),
  Code: performed,
  Description: noEffect("is text"),
  Environment: performed,
  FunctionName: performed,
  Handler: performed,
  LoggingConfig: noEffect("functions print to the engine's log"),
  MemorySize: performed,
  ReservedConcurrentExecutions: performed,
  Role: noEffect("nothing here asks IAM"),
  Runtime: performed,
  Tags: noEffect("are for people and bills"),
  Timeout: performed,
  VpcConfig: noEffect("functions have the machine's network"),
};

const codeProperties: PropertyTable = { S3Bucket: noEffect("assets are folders here"), S3Key: performed };

/** The engine runs on Node 24 and lends it to the functions. */
const runtime = "nodejs24.x";

export type FunctionWithoutEvents = Omit<FunctionPlan, "asynchronous">;

export function readFunction({ logicalId, properties, identity, assetFolders }: ReadingContext): FunctionWithoutEvents {
  if (properties.text("Runtime") !== runtime) {
    const message = `${logicalId}.Runtime is ${properties.text("Runtime")}, only ${runtime} is performed`;
    throw new EngineError("ERR_PROPERTY_UNSUPPORTED", message);
  }
  const key = properties.child("Code", codeProperties).text("S3Key");
  const codeFolder = assetFolders.get(key);
  if (codeFolder === undefined) throw new EngineError("ERR_REFERENCE", `${logicalId} has code ${key}, no such asset`);
  return {
    logicalId,
    name: identity.name,
    arn: identity.attributes.Arn ?? "",
    codeFolder,
    handler: properties.text("Handler"),
    timeoutMs: 1000 * (properties.optionalNumber("Timeout", 1, 900) ?? 3),
    memoryMb: properties.optionalNumber("MemorySize", 128, 10_240) ?? 128,
    environment: properties.optionalChild("Environment", { Variables: performed })?.texts("Variables") ?? {},
    reservedConcurrency: properties.optionalNumber("ReservedConcurrentExecutions", 1, 1000),
  };
}

export const eventInvokeConfigProperties: PropertyTable = {
  DestinationConfig: performed,
  FunctionName: performed,
  MaximumEventAgeInSeconds: performed,
  MaximumRetryAttempts: performed,
  Qualifier: noEffect("there is one version"),
};

/** Lambda's defaults for a function without an event invoke configuration. */
export const defaultEvents: FunctionPlan["asynchronous"] = {
  maximumAgeMs: 21_600_000,
  retryAttempts: 2,
  onFailure: undefined,
};

export function readEventInvokeConfig(context: ReadingContext): readonly [string, FunctionPlan["asynchronous"]] {
  const { properties } = context;
  const age = properties.optionalNumber("MaximumEventAgeInSeconds", 60, 21_600);
  return [
    context.functionArn(properties.text("FunctionName")),
    {
      maximumAgeMs: age === undefined ? defaultEvents.maximumAgeMs : 1000 * age,
      retryAttempts: properties.optionalNumber("MaximumRetryAttempts", 0, 2) ?? defaultEvents.retryAttempts,
      onFailure: readOnFailure(properties),
    },
  ];
}

/** Of the destinations that Lambda knows, a queue is performed. */
function readOnFailure(properties: Properties): FunctionPlan["asynchronous"]["onFailure"] {
  const onFailure = properties
    .optionalChild("DestinationConfig", { OnFailure: performed })
    ?.optionalChild("OnFailure", { Destination: performed });
  if (onFailure === undefined) return undefined;
  const queueArn = onFailure.text("Destination");
  if (queueArn.split(":")[2] === "sqs") return { queueArn, at: onFailure.at };
  const message = `${onFailure.at} is ${queueArn}, only a queue is performed`;
  throw new EngineError("ERR_PROPERTY_UNSUPPORTED", message);
}

export const mappingProperties: PropertyTable = {
  BatchSize: performed,
  Enabled: performed,
  EventSourceArn: performed,
  FunctionName: performed,
  FunctionResponseTypes: performed,
  ScalingConfig: performed,
  Tags: noEffect("are for people and bills"),
};

export function readMapping(context: ReadingContext): MappingPlan {
  const { logicalId, properties, identity } = context;
  const types = properties.list("FunctionResponseTypes");
  const unknown = types.find((type) => type !== "ReportBatchItemFailures");
  if (unknown !== undefined) {
    const message = `${logicalId}.FunctionResponseTypes has ${JSON.stringify(unknown)}, which is not performed`;
    throw new EngineError("ERR_PROPERTY_UNSUPPORTED", message);
  }
  return {
    logicalId,
    uuid: identity.ref,
    arn: identity.attributes.EventSourceMappingArn ?? "",
    isEnabled: properties.flag("Enabled", true),
    queueArn: properties.text("EventSourceArn"),
    functionArn: context.functionArn(properties.text("FunctionName")),
    // More than 10 need a batching window, which is not performed.
    batchSize: properties.optionalNumber("BatchSize", 1, 10) ?? 10,
    maximumConcurrency: properties
      .optionalChild("ScalingConfig", { MaximumConcurrency: performed })
      ?.optionalNumber("MaximumConcurrency", 2, 1000),
    reportsBatchItemFailures: types.length > 0,
  };
}

export const permissionProperties: PropertyTable = {
  Action: performed,
  FunctionName: performed,
  Principal: performed,
  SourceAccount: noEffect("there is one account"),
  SourceArn: performed,
};

export function readPermission(context: ReadingContext): PermissionPlan | undefined {
  const { properties } = context;
  if (properties.text("Action") !== "lambda:InvokeFunction") return undefined;
  return {
    functionArn: context.functionArn(properties.text("FunctionName")),
    principal: properties.text("Principal"),
    sourceArn: properties.optionalText("SourceArn"),
  };
}
