import { EngineError } from "../engine-error.ts";
import { makePublication } from "../services/iot-publication.ts";
import { BrokerFailure, type OutgoingMessage } from "../services/message-broker.ts";
import { ServiceError } from "../services/service-endpoint.ts";
import { noEffect, Properties, type PropertyTable, performed } from "../template/properties.ts";
import type { Action, ActionRule, ActionTargets, RuleOutput } from "./action.ts";
import { outputJson } from "./output-json.ts";
import { headerProperties, readRepublishHeaders } from "./republish-headers.ts";
import { readRepublishTopic } from "./republish-topic.ts";

const republishProperties: PropertyTable = {
  Headers: performed,
  Qos: performed,
  RoleArn: noEffect("nothing here asks IAM"),
  Topic: performed,
};

/**
 * Publishes the output by the broker, which brings it to whoever subscribes, and to the engine where a rule does. The
 * action is done when the broker has it; nothing is retained.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/republish-rule-action.html
 */
export function republishAction(value: unknown, at: string, rule: ActionRule, targets: ActionTargets): Action {
  const { plan, messageBroker, count } = targets;
  const properties = new Properties(value, republishProperties, at);
  const template = properties.text("Topic");
  const topic = readRepublishTopic(template, `${at}.Topic`, rule);
  if (topic.ruleName !== undefined && !plan.rules.some(({ name }) => name === topic.ruleName)) {
    throw new EngineError("ERR_REFERENCE", `${at} publishes to ${topic.ruleName}, no rule of the template`);
  }
  const headersFor = readRepublishHeaders(properties.optionalChild("Headers", headerProperties), rule);
  const qos = properties.optionalNumber("Qos", 0, 1) === 1 ? 1 : 0;
  return {
    name: "RepublishAction",
    resource: template,
    republishesOn: topic,
    run: async (output, { message, variables, isReport }) => {
      const publication = publicationOf(() =>
        makePublication(
          { topic: topic.nameFor(message, variables), payload: payloadOf(output, isReport), qos, isRetained: false },
          headersFor(message, variables),
        ),
      );
      const broker = messageBroker();
      if (broker === undefined) throw new BrokerFailure("the engine is not connected to its broker", false);
      await broker.publish(publication);
      count({ account: rule.name, amounts: { received: 1, [isReport ? "dead" : "delivered"]: 1 } });
    },
  };
}

function payloadOf(output: RuleOutput, isReport: boolean): Uint8Array {
  return output.kind === "json" ? Buffer.from(outputJson(output, isReport)) : output.bytes;
}

/** With AWS's type of an error in its message, which is what a report shows. */
function publicationOf(make: () => OutgoingMessage): OutgoingMessage {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new Error(`${error.type}: ${error.message}`, { cause: error });
  }
}
