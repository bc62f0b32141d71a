import { join } from "node:path";
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, type FunctionOptions, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { PowertoolsEnvironment } from "../lambdas/read-variable.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { bundle, bundleHandler, type FunctionFolder, projectRoot } from "./bundle.ts";

/** Namespace of the metrics. */
export const metricsNamespace = "Trestle";

/** Dimension `service` of the metrics, which keeps deployments in one account apart. */
export function serviceName({ name, stage }: Pick<Scheme, "name" | "stage">): string {
  return `${name}-${stage}`;
}

export interface TrestleFunctionProps<Environment extends PowertoolsEnvironment>
  extends Pick<FunctionOptions, "reservedConcurrentExecutions"> {
  readonly scheme: Scheme;
  /** The scheme's file, which travels in the bundle. */
  readonly configFile: string;
  readonly folder: FunctionFolder;
  readonly description: string;
  readonly timeoutSeconds: number;
  /** What the handler reads, without what Powertools reads. */
  readonly environment: { readonly [Name in keyof Omit<Environment, keyof PowertoolsEnvironment>]: Environment[Name] };
}

/**
 * A function of `lambdas/`: its bundle with the scheme in it, a log group of its own, and a role of its own that can
 * write there and, until it is allowed more, nothing else.
 */
export class TrestleFunction<Environment extends PowertoolsEnvironment> extends LambdaFunction {
  constructor(scope: Construct, id: string, props: TrestleFunctionProps<Environment>) {
    const { scheme, configFile, folder, timeoutSeconds, environment, ...options } = props;
    const logGroup = new LogGroup(scope, `${id}LogGroup`, {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    logGroup.grantWrite(role);
    super(scope, id, {
      ...options,
      code: Code.fromAsset(
        // Who looks at the template alone asks for no bundles (`aws:cdk:bundling-stacks`).
        Stack.of(scope).bundlingRequired
          ? bundle({ configFile, scheme, folder })
          : join(projectRoot, `lambdas/${folder}`),
      ),
      handler: bundleHandler,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      // CPU comes with memory, 512 MB being 0.29 of a processor; a message needs about 0.05 ms of a whole one.
      memorySize: 512,
      timeout: Duration.seconds(timeoutSeconds),
      environment: { ...environment, ...powertools(scheme), NODE_OPTIONS: "--enable-source-maps" },
      role,
      logGroup,
    });
  }

  /** Lets the function do something with resources, and nothing beside. */
  allow(actions: readonly string[], resources: readonly string[]): void {
    this.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }));
  }
}

function powertools(scheme: Scheme): PowertoolsEnvironment {
  return {
    POWERTOOLS_SERVICE_NAME: serviceName(scheme),
    POWERTOOLS_METRICS_NAMESPACE: metricsNamespace,
    POWERTOOLS_LOG_LEVEL: "INFO",
  };
}
