import { EngineError } from "../engine-error.ts";
import type { Assembly, TemplateResource } from "./assembly.ts";
import {
  defaultEvents,
  eventInvokeConfigProperties,
  functionProperties,
  mappingProperties,
  permissionProperties,
  readEventInvokeConfig,
  readFunction,
  readMapping,
  readPermission,
} from "./function.ts";
import {
  apiProperties,
  authorizerProperties,
  integrationProperties,
  readHttpApi,
  routeProperties,
  stageProperties,
} from "./http-api.ts";
import { type References, resolveIntrinsics } from "./intrinsics.ts";
import type { FunctionPlan, Identity, Plan, ReadingContext } from "./plan.ts";
import { Properties, type PropertyTable } from "./properties.ts";
import { queueProperties, readQueue } from "./queue.ts";
import { identify, nameProperties, place, typesWithoutEffect } from "./resource-types.ts";
import { readSchedule, scheduleProperties } from "./schedule.ts";
import { readTable, tableProperties } from "./table.ts";
import { readTopicRule, topicRuleProperties } from "./topic-rule.ts";

/** The properties of the resource types that the engine performs. */
const performedTypes: Readonly<Record<string, PropertyTable>> = {
  "AWS::ApiGatewayV2::Api": apiProperties,
  "AWS::ApiGatewayV2::Authorizer": authorizerProperties,
  "AWS::ApiGatewayV2::Integration": integrationProperties,
  "AWS::ApiGatewayV2::Route": routeProperties,
  "AWS::ApiGatewayV2::Stage": stageProperties,
  "AWS::DynamoDB::Table": tableProperties,
  "AWS::Events::Rule": scheduleProperties,
  "AWS::IoT::TopicRule": topicRuleProperties,
  "AWS::Lambda::EventInvokeConfig": eventInvokeConfigProperties,
  "AWS::Lambda::EventSourceMapping": mappingProperties,
  "AWS::Lambda::Function": functionProperties,
  "AWS::Lambda::Permission": permissionProperties,
  "AWS::SQS::Queue": queueProperties,
};

/**
 * Turns a template into plain data.
 *
 * @param parameters Values of the template's parameters; those without one take their defaults.
 * @throws {EngineError} for whatever the engine would not do as AWS does, naming the logical ID.
 */
export function readPlan(assembly: Assembly, parameters: Readonly<Record<string, string>> = {}): Plan {
  const resolver = new Resolver(assembly, parameters);
  const contexts = (type: string): ReadingContext[] =>
    [...assembly.resources]
      .filter(([, resource]) => resource.Type === type)
      .map(([logicalId, resource]) => resolver.contextOf(logicalId, resource));
  const read = <T>(type: string, reader: (context: ReadingContext) => T): T[] => contexts(type).map(reader);

  for (const [logicalId, resource] of assembly.resources) checkResource(logicalId, resource);
  const events = new Map(read("AWS::Lambda::EventInvokeConfig", readEventInvokeConfig));
  const functions = read("AWS::Lambda::Function", readFunction).map(
    (plan): FunctionPlan => ({ ...plan, asynchronous: events.get(plan.arn) ?? defaultEvents }),
  );
  return {
    stackName: assembly.stackName,
    region: place.region,
    accountId: place.accountId,
    rules: read("AWS::IoT::TopicRule", readTopicRule),
    functions: new Map(functions.map((plan) => [plan.arn, plan])),
    queues: new Map(read("AWS::SQS::Queue", readQueue).map((plan) => [plan.arn, plan])),
    mappings: read("AWS::Lambda::EventSourceMapping", readMapping),
    permissions: read("AWS::Lambda::Permission", readPermission).filter((permission) => permission !== undefined),
    schedules: read("AWS::Events::Rule", readSchedule),
    tables: read("AWS::DynamoDB::Table", readTable),
    httpApi: readHttpApi({
      apis: contexts("AWS::ApiGatewayV2::Api"),
      stages: contexts("AWS::ApiGatewayV2::Stage"),
      integrations: contexts("AWS::ApiGatewayV2::Integration"),
      routes: contexts("AWS::ApiGatewayV2::Route"),
      authorizers: contexts("AWS::ApiGatewayV2::Authorizer"),
    }),
  };
}

function checkResource(logicalId: string, { Type, Condition }: TemplateResource): void {
  if (!Object.hasOwn(performedTypes, Type) && !Object.hasOwn(typesWithoutEffect, Type)) {
    throw new EngineError("ERR_RESOURCE_UNSUPPORTED", `${logicalId} is of type ${Type}, which is not performed`);
  }
  if (Condition !== undefined) {
    throw new EngineError("ERR_PROPERTY_UNSUPPORTED", `${logicalId} has a Condition, which is not performed`);
  }
}

/** Resolves what the resources of a template refer to. */
class Resolver implements References {
  readonly #assembly: Assembly;
  readonly #values: ReadonlyMap<string, string>;
  readonly #identities = new Map<string, Identity>();

  constructor(assembly: Assembly, parameters: Readonly<Record<string, string>>) {
    this.#assembly = assembly;
    for (const name of Object.keys(parameters)) {
      if (assembly.parameters.has(name)) continue;
      throw new EngineError("ERR_REFERENCE", `there is no parameter ${name} in the template of ${assembly.stackName}`);
    }
    const declared = [...assembly.parameters].flatMap(([name, { Default }]): [string, string][] => {
      const value = parameters[name] ?? Default;
      return value === undefined ? [] : [[name, value]];
    });
    this.#values = new Map([
      ["AWS::AccountId", place.accountId],
      ["AWS::Partition", place.partition],
      ["AWS::Region", place.region],
      ["AWS::StackName", assembly.stackName],
      ["AWS::URLSuffix", place.urlSuffix],
      ...declared,
    ]);
  }

  ref(name: string): string | undefined {
    return this.#values.get(name) ?? this.#identityOf(name)?.ref;
  }

  attribute(logicalId: string, name: string): string | undefined {
    return this.#identityOf(logicalId)?.attributes[name];
  }

  contextOf(logicalId: string, resource: TemplateResource): ReadingContext {
    const resolved = resolveIntrinsics(resource.Properties ?? {}, this, logicalId);
    return {
      logicalId,
      properties: new Properties(resolved, performedTypes[resource.Type] ?? {}, logicalId),
      identity: this.#identityOf(logicalId) ?? identify(resource.Type, logicalId),
      assetFolders: this.#assembly.assetFolders,
      functionArn: (nameOrArn) => this.#functionArn(nameOrArn, logicalId),
    };
  }

  #identityOf(logicalId: string): Identity | undefined {
    const known = this.#identities.get(logicalId);
    const resource = this.#assembly.resources.get(logicalId);
    if (known !== undefined || resource === undefined) return known;
    const name = resource.Properties?.[nameProperties[resource.Type] ?? ""];
    const resolved = name === undefined ? undefined : resolveIntrinsics(name, this, logicalId);
    const identity = identify(resource.Type, String(resolved ?? `${this.#assembly.stackName}-${logicalId}`));
    this.#identities.set(logicalId, identity);
    return identity;
  }

  #functionArn(nameOrArn: string, at: string): string {
    for (const [logicalId, { Type }] of this.#assembly.resources) {
      const identity = Type === "AWS::Lambda::Function" ? this.#identityOf(logicalId) : undefined;
      const arn = identity?.attributes.Arn;
      if (arn !== undefined && (arn === nameOrArn || identity?.name === nameOrArn)) return arn;
    }
    throw new EngineError("ERR_REFERENCE", `${at} names the function ${nameOrArn}, which the template does not have`);
  }
}
