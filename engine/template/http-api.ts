import { EngineError } from "../engine-error.ts";
import { readTarget } from "./http-route-key.ts";
import type { HttpApiPlan, HttpAuthorizationPlan, HttpRoutePlan, ReadingContext } from "./plan.ts";
import { noEffect, type Properties, type PropertyTable, performed } from "./properties.ts";
import { place } from "./resource-types.ts";

export const apiProperties: PropertyTable = {
  Description: noEffect("is text"),
  DisableExecuteApiEndpoint: performed,
  IpAddressType: noEffect("it is served on loopback"),
  Name: noEffect("is for people"),
  ProtocolType: performed,
  RouteSelectionExpression: performed,
  Tags: noEffect("are for people and bills"),
};

export const stageProperties: PropertyTable = {
  AccessLogSettings: noEffect("what a function says is the log here"),
  ApiId: performed,
  AutoDeploy: performed,
  DefaultRouteSettings: performed,
  Description: noEffect("is text"),
  StageName: performed,
  Tags: noEffect("are for people and bills"),
};

const routeSettings: PropertyTable = {
  DetailedMetricsEnabled: noEffect("metrics are of AWS"),
  ThrottlingBurstLimit: performed,
  ThrottlingRateLimit: performed,
};

export const integrationProperties: PropertyTable = {
  ApiId: performed,
  Description: noEffect("is text"),
  IntegrationMethod: noEffect("functions are invoked by POST, whatever it says"),
  IntegrationType: performed,
  IntegrationUri: performed,
  PayloadFormatVersion: performed,
  TimeoutInMillis: performed,
};

export const routeProperties: PropertyTable = {
  ApiId: performed,
  AuthorizationScopes: performed,
  AuthorizationType: performed,
  AuthorizerId: performed,
  OperationName: noEffect("is for people"),
  RouteKey: performed,
  Target: performed,
};

export const authorizerProperties: PropertyTable = {
  ApiId: performed,
  AuthorizerType: performed,
  IdentitySource: performed,
  JwtConfiguration: performed,
  Name: noEffect("is for people"),
};

const jwtProperties: PropertyTable = { Audience: performed, Issuer: performed };

/** The resources of a template that make HTTP APIs. */
export interface HttpApiResources {
  readonly apis: readonly ReadingContext[];
  readonly stages: readonly ReadingContext[];
  readonly integrations: readonly ReadingContext[];
  readonly routes: readonly ReadingContext[];
  readonly authorizers: readonly ReadingContext[];
}

/** What an account may ask of all its APIs, where a stage says nothing. */
const accountThrottling = { ratePerSecond: 10_000, burst: 5_000 };

/**
 * The template's HTTP API, undefined where it has none.
 *
 * @throws {EngineError} for what is not performed, and for a route that anybody may call.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
 */
export function readHttpApi(resources: HttpApiResources): HttpApiPlan | undefined {
  const { apis, stages } = resources;
  const [api, another] = apis;
  if (api === undefined) return undefined;
  if (another !== undefined) {
    throw unsupported(`${api.logicalId} and ${another.logicalId} are two HTTP APIs; performed is one`);
  }
  checkApi(api.properties);
  const ofApi = stages.filter(({ properties }) => properties.text("ApiId") === api.identity.ref);
  const [stage, other] = ofApi;
  if (stage === undefined || other !== undefined) {
    throw unsupported(`${api.logicalId} has ${ofApi.length} stages; performed is one`);
  }
  checkStage(stage.properties);
  const name = stage.properties.text("StageName");
  return {
    logicalId: api.logicalId,
    id: api.identity.ref,
    stage: name,
    throttling: readThrottling(stage.properties),
    routes: resources.routes.map((route) => readRoute(route, name, resources)),
  };
}

function checkApi(properties: Properties): void {
  checkText(properties, "ProtocolType", "HTTP");
  checkText(properties, "RouteSelectionExpression", "$request.method $request.path", true);
  if (!properties.flag("DisableExecuteApiEndpoint", false)) return;
  throw unsupported(`${properties.at}.DisableExecuteApiEndpoint leaves the API without the endpoint that is served`);
}

function checkStage(properties: Properties): void {
  // Another name would stand in every path.
  checkText(properties, "StageName", "$default");
  if (properties.flag("AutoDeploy", false)) return;
  throw unsupported(`${properties.at}.AutoDeploy is false; deployments are not performed`);
}

function readThrottling(properties: Properties): HttpApiPlan["throttling"] {
  const settings = properties.optionalChild("DefaultRouteSettings", routeSettings);
  return {
    ratePerSecond: settings?.optionalNumber("ThrottlingRateLimit", 1, 1e9) ?? accountThrottling.ratePerSecond,
    burst: settings?.optionalNumber("ThrottlingBurstLimit", 1, 1e9) ?? accountThrottling.burst,
  };
}

function readRoute(route: ReadingContext, stage: string, resources: HttpApiResources): HttpRoutePlan {
  const { logicalId, properties } = route;
  const key = properties.text("RouteKey");
  const target = readTarget(key, `${logicalId}.RouteKey`);
  const [, integrationId = ""] = /^integrations\/(.+)$/.exec(properties.text("Target")) ?? [];
  const resource = target === undefined ? "$default" : `${target.method}/${target.segments.join("/")}`;
  return {
    logicalId,
    key,
    target,
    authorization: readAuthorization(properties, resources.authorizers),
    ...readIntegration(find(resources.integrations, integrationId, `${logicalId}.Target`)),
    arn: `arn:${place.partition}:execute-api:${place.region}:${place.accountId}:${properties.text("ApiId")}/${stage}/${resource}`,
  };
}

function readIntegration({
  properties,
  functionArn,
}: ReadingContext): Pick<HttpRoutePlan, "functionArn" | "timeoutMs"> {
  checkText(properties, "IntegrationType", "AWS_PROXY");
  checkText(properties, "PayloadFormatVersion", "2.0");
  return {
    functionArn: functionArn(properties.text("IntegrationUri")),
    timeoutMs: properties.optionalNumber("TimeoutInMillis", 50, 30_000) ?? 30_000,
  };
}

function readAuthorization(properties: Properties, authorizers: readonly ReadingContext[]): HttpAuthorizationPlan {
  const type = properties.optionalText("AuthorizationType") ?? "NONE";
  if (type === "AWS_IAM") return { kind: "iam" };
  if (type === "NONE") throw unsupported(`${properties.at} has no authorization; a route that anybody may call is not`);
  if (type !== "JWT") throw unsupported(`${properties.at}.AuthorizationType is ${type}; performed are AWS_IAM and JWT`);
  const id = properties.text("AuthorizerId");
  const authorizer = find(authorizers, id, `${properties.at}.AuthorizerId`).properties;
  checkText(authorizer, "AuthorizerType", "JWT");
  const sources = authorizer.list("IdentitySource");
  if (sources.length !== 1 || sources[0] !== "$request.header.Authorization") {
    const message = `${authorizer.at}.IdentitySource is ${JSON.stringify(sources)}, only the header Authorization is performed`;
    throw unsupported(message);
  }
  const jwt = authorizer.child("JwtConfiguration", jwtProperties);
  return {
    kind: "jwt",
    issuer: jwt.text("Issuer"),
    audiences: jwt.list("Audience").map(String),
    scopes: properties.list("AuthorizationScopes").map(String),
  };
}

function find(contexts: readonly ReadingContext[], id: string, at: string): ReadingContext {
  const found = contexts.find(({ identity }) => identity.ref === id);
  if (found !== undefined) return found;
  throw new EngineError("ERR_REFERENCE", `${at} names ${id}, which the template does not have`);
}

function checkText(properties: Properties, name: string, only: string, isOptional = false): void {
  const value = isOptional ? (properties.optionalText(name) ?? only) : properties.text(name);
  if (value !== only) throw unsupported(`${properties.at}.${name} is ${value}, only ${only} is performed`);
}

function unsupported(message: string): EngineError {
  return new EngineError("ERR_PROPERTY_UNSUPPORTED", message);
}
