import { ArnFormat, CfnOutput, Stack } from "aws-cdk-lib";
import {
  HttpApi,
  HttpIntegrationType,
  HttpMethod,
  HttpRoute,
  HttpRouteIntegration,
  type HttpRouteIntegrationConfig,
  HttpRouteKey,
  HttpStage,
  type IHttpRouteAuthorizer,
  PayloadFormatVersion,
} from "aws-cdk-lib/aws-apigatewayv2";
import { HttpIamAuthorizer, HttpJwtAuthorizer } from "aws-cdk-lib/aws-apigatewayv2-authorizers";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { type PushRoute, pushOperations } from "../scheme/command/push-operations.ts";
import type { JwtAuthorization } from "../scheme/scheme.ts";

/** Calls that are taken in one moment, as a multiple of those in a second. */
const burst = 2;

export interface PushApiProps {
  /** The function `push`. */
  readonly handler: IFunction;
  /** Calls. */
  readonly maxPerSecond: number;
  /** Undefined for signed requests (AWS IAM). */
  readonly authorization: JwtAuthorization | undefined;
}

/**
 * The HTTP API of the push endpoint: a route for each operation, so that callers can be allowed some and not others, and
 * one for the rest, whose answer is the function's as well. None is open.
 */
export class PushApi extends Construct {
  constructor(scope: Construct, id: string, { handler, maxPerSecond, authorization }: PushApiProps) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    const httpApi = new HttpApi(this, "Api", {
      apiName: `${stackName}-push`,
      description: `Commands for the devices of ${stackName}`,
      createDefaultStage: false,
    });
    new HttpStage(this, "Stage", {
      httpApi,
      stageName: "$default",
      autoDeploy: true,
      throttle: { rateLimit: maxPerSecond, burstLimit: burst * maxPerSecond },
    });
    handler.addPermission("Invoke", {
      principal: new ServicePrincipal("apigateway.amazonaws.com"),
      sourceArn: anyRouteOf(httpApi),
    });
    const shared = { httpApi, integration: new FunctionIntegration("Push", handler), ...authorizers(authorization) };
    for (const [operationId, operation] of Object.entries(pushOperations)) {
      new HttpRoute(this, `Route-${operationId}`, { ...shared, routeKey: keyOf(operation) });
    }
    new HttpRoute(this, "Default", { ...shared, routeKey: HttpRouteKey.DEFAULT });
    const output = new CfnOutput(this, "Url", { description: "The push endpoint", value: httpApi.apiEndpoint });
    output.overrideLogicalId("PushUrl");
  }
}

/**
 * Hands a request to a function, which has API Gateway's 30 s to answer.
 *
 * The CDK's own permits the function's invocation by three levels below the API, and the route `$default` has two.
 */
class FunctionIntegration extends HttpRouteIntegration {
  readonly #uri: string;

  constructor(id: string, { functionArn }: IFunction) {
    super(id);
    this.#uri = functionArn;
  }

  override bind(): HttpRouteIntegrationConfig {
    return {
      type: HttpIntegrationType.AWS_PROXY,
      uri: this.#uri,
      payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
    };
  }
}

function anyRouteOf(httpApi: HttpApi): string {
  return Stack.of(httpApi).formatArn({
    service: "execute-api",
    resource: httpApi.apiId,
    resourceName: "*",
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
}

function keyOf({ method, path }: PushRoute): HttpRouteKey {
  return HttpRouteKey.with(path, HttpMethod[method]);
}

interface Authorizers {
  readonly authorizer: IHttpRouteAuthorizer;
  readonly authorizationScopes?: string[];
}

function authorizers(authorization: JwtAuthorization | undefined): Authorizers {
  if (authorization === undefined) return { authorizer: new HttpIamAuthorizer() };
  const { issuer, audiences, scopes } = authorization;
  return {
    authorizer: new HttpJwtAuthorizer("Jwt", issuer, { jwtAudience: [...audiences] }),
    ...(scopes === undefined ? {} : { authorizationScopes: [...scopes] }),
  };
}
