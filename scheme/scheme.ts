import type { PathTemplate } from "./request-path.ts";
import type { TopicTemplate } from "./topic-template.ts";

/** AWS IoT Core has QoS 0 and 1, and no QoS 2. */
export type Qos = 0 | 1;

/** Methods that carry a body. */
export type Method = "POST" | "PUT" | "PATCH" | "DELETE";

/** A value that is kept by name in Secrets Manager, and on one machine in a file or the environment. */
export interface SecretReference {
  readonly kind: "secret";
  readonly name: string;
}

/** What a user writes in `trestle.config.ts`. */
export interface SchemeInput {
  /** Names the stack and the topic rules. */
  readonly name: string;
  /** Separates deployments of one scheme; `prod` by default. */
  readonly stage?: string;
  readonly api: {
    /** Base of every request, `https://api.example.com`, with a path where the API has one. */
    readonly url: string;
    /** Milliseconds for one whole request, 10,000 by default. */
    readonly timeoutMs?: number;
    /** Requests at the API at one time, at most; 50 by default. */
    readonly maxConcurrency?: number;
    /** Fields that every request carries; they win over the device's. */
    readonly headers?: Readonly<Record<string, string | SecretReference>>;
    /** Secrets that requests are signed with (Standard Webhooks): the current one, and another while it is changed. */
    readonly signing?: readonly SecretReference[];
    /**
     * Seconds from each failed attempt to the next one, of what may succeed later; 13 delays over three days and a half
     * by default. An API that fails altogether is left alone for twice the first one.
     */
    readonly retryDelaysSeconds?: readonly number[];
  };
  /** How long dead letters are kept, 14 days by default. */
  readonly deadLetters?: { readonly days: number };
  readonly routes: Readonly<Record<string, RouteInput>>;
  /**
   * What stands between the edge broker and IoT Core: Mosquitto's own `bridge` by default, or the `relay`, which sends
   * many messages in one publish and needs a topic rule and a function for them.
   */
  readonly uplink?: "bridge" | "relay";
  /** How devices are told what to do, and where they answer. */
  readonly commands?: CommandsInput;
  /** Topics that the backend publishes and every device may read. */
  readonly feeds?: Readonly<Record<string, { readonly topic: string }>>;
  /** Brokers that commands and feeds are published to, all of them; needed by either. */
  readonly brokers?: readonly BrokerInput[];
  readonly alarms?: { readonly email: string };
}

export interface RouteInput {
  /** Topic with placeholders for levels, one of them `{deviceId}`. */
  readonly topic: string;
  readonly qos: Qos;
  /** Path of the request; the topic itself by default. */
  readonly path?: string;
  /** `POST` by default. */
  readonly method?: Method;
  /** AWS IoT SQL condition; what it does not select never reaches the API. */
  readonly where?: string;
  /** Keeps every message, as it came, for so many days; none is kept by default. QoS 1 only. */
  readonly keep?: { readonly days: number };
  /** Remembers for so many hours which messages the API has, and sends none of them again. QoS 1 only. */
  readonly lease?: { readonly hours: number };
}

export interface CommandsInput {
  /** Topic that a device's commands are published on, `{deviceId}` its only placeholder. */
  readonly topic: string;
  /** Topic that a device answers on, the same. */
  readonly replies: string;
  /** Calls of the push endpoint in a second, at most; 500 by default, and twice as many in one moment. */
  readonly maxPerSecond?: number;
  /** Whose JSON web tokens the push endpoint takes; where this is left out, it takes signed requests (AWS IAM). */
  readonly authorization?: JwtAuthorization;
}

/** What API Gateway checks of a token beside its signature and its time. */
export interface JwtAuthorization {
  /** `https:` URL of who issues the tokens, as it stands in their `iss`. */
  readonly issuer: string;
  /** Values of `aud`, of which a token has at least one. */
  readonly audiences: readonly string[];
  /** Values of `scope`, of which a token has at least one; none is asked for by default. */
  readonly scopes?: readonly string[];
}

export interface BrokerInput {
  /** `mqtts://host:port`, `mqtt://host:port`, or `aws-iot:` for devices that are connected to AWS IoT Core itself. */
  readonly url: string;
  readonly credentials?: SecretReference;
  /** PEM of the authority that signed the broker's certificate, where it is not a public one. */
  readonly ca?: string | SecretReference;
  /** Where the broker can be reached only from; DynamoDB and Secrets Manager have to be reached from there as well. */
  readonly vpc?: VpcInput;
}

/** Network that the functions are put into which connect to brokers. */
export interface VpcInput {
  readonly id: string;
  readonly subnetIds: readonly string[];
  /** One that lets every connection out is made where this is left out. */
  readonly securityGroupIds?: readonly string[];
}

/** A checked scheme: what every other part is derived from. */
export interface Scheme {
  readonly name: string;
  readonly stage: string;
  readonly api: {
    /** Without a slash at its end. */
    readonly url: string;
    readonly timeoutMs: number;
    readonly maxConcurrency: number;
    /** By lower-case field name. */
    readonly headers: ReadonlyMap<string, string | SecretReference>;
    readonly signing: readonly SecretReference[];
    /** Undefined for the delays of `lambdas/forward/policy.ts`. */
    readonly retryDelaysSeconds: readonly number[] | undefined;
  };
  readonly deadLetters: { readonly days: number };
  readonly routes: ReadonlyMap<string, Route>;
  /** Name of the topic rule that takes the relay's frames; undefined where the uplink is a bridge. */
  readonly framesRuleName: string | undefined;
  readonly commands: Commands | undefined;
  readonly feeds: ReadonlyMap<string, TopicTemplate>;
  readonly brokers: readonly BrokerInput[];
  readonly alarms: { readonly email: string } | undefined;
}

export interface Commands {
  readonly topic: TopicTemplate;
  readonly replies: TopicTemplate;
  /** Name of the topic rule that takes the replies. */
  readonly ruleName: string;
  readonly maxPerSecond: number;
  /** Undefined for signed requests (AWS IAM). */
  readonly authorization: JwtAuthorization | undefined;
}

export interface Route {
  readonly name: string;
  readonly topic: TopicTemplate;
  readonly qos: Qos;
  readonly path: PathTemplate;
  readonly method: Method;
  readonly where: string | undefined;
  readonly keep: { readonly days: number } | undefined;
  readonly lease: { readonly hours: number } | undefined;
  /** Name of its topic rule, also in its Basic Ingest topic `$aws/rules/<ruleName>/…`. */
  readonly ruleName: string;
}

/** Refers to a secret by its name. */
export function secret(name: string): SecretReference {
  return { kind: "secret", name };
}
