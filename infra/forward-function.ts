import { join } from "node:path";
import { ArnFormat, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, type FunctionOptions, Runtime } from "aws-cdk-lib/aws-lambda";
import { NodejsFunction } from "aws-cdk-lib/aws-lambda-nodejs";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { ForwardEnvironment } from "../lambdas/forward/environment.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { bundling, projectRoot } from "./bundling.ts";

export interface ForwardFunctionProps extends Pick<FunctionOptions, "reservedConcurrentExecutions" | "description"> {
  readonly scheme: Scheme;
  /** The scheme's file, which travels in the bundle. */
  readonly configFile: string;
  /** Base of every request, a parameter's value as a rule. */
  readonly apiUrl: string;
  readonly parallelRequests: number;
  readonly timeoutSeconds: number;
}

/**
 * A function of the `forward` bundle. Each gets its messages in its own way, directly or from queues, and has its own
 * log group and a role that can write there, read the scheme's secrets, and nothing else.
 */
export class ForwardFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, props: ForwardFunctionProps) {
    const { scheme, configFile, apiUrl, parallelRequests, timeoutSeconds, ...options } = props;
    const logGroup = new LogGroup(scope, `${id}LogGroup`, {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    logGroup.grantWrite(role);
    const secretArns = secretNames(scheme).map((name) => secretArnPattern(scope, name));
    if (secretArns.length > 0) {
      role.addToPolicy(new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: secretArns }));
    }
    super(scope, id, {
      ...options,
      entry: join(projectRoot, "lambdas/forward/handler.ts"),
      projectRoot,
      depsLockFilePath: join(projectRoot, "package-lock.json"),
      bundling: bundling({ configFile, hasSecrets: secretArns.length > 0 }),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      // CPU comes with memory, 512 MB being 0.29 of a processor; a message needs about 0.05 ms of a whole one.
      memorySize: 512,
      timeout: Duration.seconds(timeoutSeconds),
      environment: { ...environment(scheme, apiUrl, parallelRequests), NODE_OPTIONS: "--enable-source-maps" },
      role,
      logGroup,
    });
  }
}

function environment(scheme: Scheme, apiUrl: string, parallelRequests: number): ForwardEnvironment {
  return {
    API_URL: apiUrl,
    PARALLEL_REQUESTS: String(parallelRequests),
    POWERTOOLS_SERVICE_NAME: `${scheme.name}-${scheme.stage}`,
    POWERTOOLS_METRICS_NAMESPACE: "Trestle",
    POWERTOOLS_LOG_LEVEL: "INFO",
  };
}

function secretNames({ api }: Scheme): readonly string[] {
  const references = [...api.headers.values(), ...api.signing];
  return [...new Set(references.flatMap((value) => (typeof value === "string" ? [] : [value.name])))];
}

/** Secrets Manager appends six characters of its own to a secret's name. */
function secretArnPattern(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({
    service: "secretsmanager",
    resource: "secret",
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
