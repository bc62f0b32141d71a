import { ArnFormat, Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { PublishingEnvironment } from "../lambdas/commands/environment.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { fillTemplate, type TopicTemplate } from "../scheme/topic-template.ts";
import type { BrokerNetwork } from "./broker-network.ts";
import { brokerSecretNames, usesDataPlane } from "./scheme-needs.ts";
import { allowSecrets } from "./secrets.ts";
import type { Stores } from "./stores.ts";
import { TrestleFunction, type TrestleFunctionProps } from "./trestle-function.ts";

export interface BrokerFunctionProps extends Omit<TrestleFunctionProps<PublishingEnvironment>, "environment"> {
  readonly stores: Stores;
  /** A parameter's value as a rule. */
  readonly brokerUrls: string;
  /** Undefined where every broker can be reached from anywhere. */
  readonly network: BrokerNetwork | undefined;
}

/** A function that publishes commands: it can use their ledger, and all brokers. */
export class BrokerFunction extends TrestleFunction<PublishingEnvironment> {
  constructor(scope: Construct, id: string, { stores, brokerUrls, network, ...props }: BrokerFunctionProps) {
    const { scheme } = props;
    super(scope, id, {
      ...props,
      environment: { COMMANDS_TABLE: stores.commands?.tableName ?? "", BROKER_URLS: brokerUrls },
    });
    stores.allowPublishing(this);
    allowSecrets(this, brokerSecretNames(scheme));
    if (usesDataPlane(scheme)) {
      this.allow(["iot:GetRetainedMessage", "iot:Publish", "iot:RetainPublish"], topicArns(Stack.of(this), scheme));
    }
    network?.admit(this);
  }
}

/** The topics that the backend publishes on, `*` for each placeholder, as IAM has no narrower one. */
function topicArns(stack: Stack, { commands, feeds }: Scheme): readonly string[] {
  const topics = [...(commands === undefined ? [] : [commands.topic]), ...feeds.values()];
  return topics.map((topic) => topicArn(stack, topic));
}

function topicArn(stack: Stack, topic: TopicTemplate): string {
  return stack.formatArn({
    service: "iot",
    resource: "topic",
    resourceName: fillTemplate(topic, () => "*"),
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
}
