import { CfnParameter } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { Scheme } from "../scheme/scheme.ts";
import { BrokerNetwork } from "./broker-network.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { OnlineEvents } from "./online-events.ts";
import { Push } from "./push.ts";
import { Replies } from "./replies.ts";
import type { Stores } from "./stores.ts";
import { Sweep } from "./sweep.ts";

export interface CommandsProps {
  readonly scheme: Scheme;
  readonly configFile: string;
  readonly stores: Stores;
  readonly deadLetters: DeadLetters;
}

/**
 * The way down, from the backend to brokers, and the devices' answers back. Of a scheme that has feeds and no commands it
 * is the push endpoint alone.
 */
export class Commands extends Construct {
  readonly functions: ReadonlyMap<"push" | "sweep" | "reply", IFunction>;
  /** Undefined where there are no commands. */
  readonly onlineEvents: OnlineEvents | undefined;

  constructor(scope: Construct, id: string, props: CommandsProps) {
    super(scope, id);
    const { scheme, stores } = props;
    const vpc = scheme.brokers.find((broker) => broker.vpc !== undefined)?.vpc;
    const publishing = {
      ...props,
      brokerUrls: this.#addBrokerUrls(scheme),
      network: vpc && new BrokerNetwork(this, "Network", vpc),
    };
    const push = new Push(this, "Push", publishing);
    const { commands } = scheme;
    if (commands === undefined || stores.commands === undefined) {
      this.functions = new Map([["push", push.function]]);
      return;
    }
    const sweep = new Sweep(this, "Sweep", publishing);
    const reply = new Replies(this, "Replies", { ...props, commands });
    this.functions = new Map([
      ["push", push.function],
      ["sweep", sweep.function],
      ["reply", reply.function],
    ]);
    this.onlineEvents = { stores, table: stores.commands, queue: sweep.onlineQueue };
  }

  /** A parameter as `ApiUrl` is: the same template for brokers of a staging environment, or of one machine. */
  #addBrokerUrls({ brokers }: Scheme): string {
    const url = "(mqtts?://[^\\s,]+|aws-iot:)";
    const parameter = new CfnParameter(this, "BrokerUrls", {
      description: "URLs of the brokers in the order of the scheme, with commas between them",
      default: brokers.map((broker) => broker.url).join(","),
      allowedPattern: `^${url}(,${url})*$`,
      constraintDescription: "must be mqtt:, mqtts: or aws-iot: URLs with commas between them",
    });
    parameter.overrideLogicalId("BrokerUrls");
    return parameter.valueAsString;
  }
}
