import type { Properties } from "./properties.ts";

/** What a template comes to, as plain data: the parts that do something on one machine. */
export interface Plan {
  readonly stackName: string;
  readonly region: string;
  readonly accountId: string;
  readonly rules: readonly RulePlan[];
  /** By ARN. */
  readonly functions: ReadonlyMap<string, FunctionPlan>;
  /** By ARN. */
  readonly queues: ReadonlyMap<string, QueuePlan>;
  readonly mappings: readonly MappingPlan[];
  readonly permissions: readonly PermissionPlan[];
  readonly schedules: readonly SchedulePlan[];
  readonly tables: readonly TablePlan[];
  readonly httpApi: HttpApiPlan | undefined;
}

export interface RulePlan {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly sql: string;
  readonly sqlVersion: string;
  readonly isDisabled: boolean;
  readonly actions: readonly ActionPlan[];
  readonly errorAction: ActionPlan | undefined;
}

/** One action of a rule: its kind as the template spells it, `Sqs`, and its properties, which the action reads. */
export interface ActionPlan {
  readonly kind: string;
  readonly properties: unknown;
  /** Logical ID and the way inside, for messages. */
  readonly at: string;
}

export interface FunctionPlan {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly codeFolder: string;
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Invocations at one time at most, where the function reserves a number. */
  readonly reservedConcurrency: number | undefined;
  readonly asynchronous: {
    readonly maximumAgeMs: number;
    readonly retryAttempts: number;
    /** The queue that is told of events which came to nothing, and what names it, for messages. */
    readonly onFailure: { readonly queueArn: string; readonly at: string } | undefined;
  };
}

export interface QueuePlan {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  readonly visibilityTimeoutMs: number;
  readonly retentionMs: number;
  readonly maximumMessageBytes: number;
  readonly redrive: { readonly toArn: string; readonly maxReceiveCount: number } | undefined;
}

export interface MappingPlan {
  readonly logicalId: string;
  /** What `Ref` gives, and what Lambda's API knows it by. */
  readonly uuid: string;
  readonly arn: string;
  readonly isEnabled: boolean;
  readonly queueArn: string;
  readonly functionArn: string;
  readonly batchSize: number;
  /** Undefined where the template sets no limit. */
  readonly maximumConcurrency: number | undefined;
  readonly reportsBatchItemFailures: boolean;
}

/** Who may invoke a function. */
export interface PermissionPlan {
  readonly functionArn: string;
  readonly principal: string;
  readonly sourceArn: string | undefined;
}

/** An API Gateway HTTP API with its `$default` stage. */
export interface HttpApiPlan {
  readonly logicalId: string;
  readonly id: string;
  readonly stage: string;
  /** Of the stage: requests a second in the long run, and at one moment. */
  readonly throttling: { readonly ratePerSecond: number; readonly burst: number };
  readonly routes: readonly HttpRoutePlan[];
}

export interface HttpRoutePlan {
  readonly logicalId: string;
  /** `POST /devices/{deviceId}/commands`, or `$default`. */
  readonly key: string;
  /** Undefined for `$default`, which takes what no other route does. */
  readonly target: { readonly method: string; readonly segments: readonly string[] } | undefined;
  readonly authorization: HttpAuthorizationPlan;
  readonly functionArn: string;
  readonly timeoutMs: number;
  /** What API Gateway invokes the function for, as permissions name it. */
  readonly arn: string;
}

/** Who may call a route. */
export type HttpAuthorizationPlan =
  | { readonly kind: "iam" }
  | {
      readonly kind: "jwt";
      readonly issuer: string;
      readonly audiences: readonly string[];
      readonly scopes: readonly string[];
    };

/** An EventBridge rule that invokes functions at a rate. */
export interface SchedulePlan {
  readonly logicalId: string;
  readonly arn: string;
  /** From one invocation to the next. */
  readonly minutes: number;
  readonly isEnabled: boolean;
  readonly functionArns: readonly string[];
}

/** A DynamoDB table that is paid for each request. */
export interface TablePlan {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** Types of the attributes that are in keys, by their names. */
  readonly attributes: ReadonlyMap<string, "S" | "N" | "B">;
  readonly key: TableKeyPlan;
  readonly indexes: readonly TableIndexPlan[];
  /** Attribute with the seconds since 1970 at which an item ends. */
  readonly timeToLiveAttribute: string | undefined;
}

export interface TableKeyPlan {
  readonly partition: string;
  readonly sort: string | undefined;
}

/** A global secondary index. */
export interface TableIndexPlan {
  readonly name: string;
  readonly key: TableKeyPlan;
  readonly projection: "ALL" | "KEYS_ONLY" | "INCLUDE";
  /** Attributes beside the keys, where the projection is INCLUDE. */
  readonly includedAttributes: readonly string[];
}

/** Everything that a resource's reader may need beside its own properties. */
export interface ReadingContext {
  readonly logicalId: string;
  readonly properties: Properties;
  /** The resource's own name and ARN. */
  readonly identity: Identity;
  readonly assetFolders: ReadonlyMap<string, string>;
  /** A function's ARN, from its ARN or its name. @throws {EngineError} `ERR_REFERENCE` */
  functionArn(nameOrArn: string): string;
}

/** What `Ref` and `Fn::GetAtt` give of a resource. */
export interface Identity {
  readonly name: string;
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}
