import { EngineError } from "../engine-error.ts";
import { isMessageText } from "../services/message-contents.ts";
import { noEffect, Properties, type PropertyTable, performed } from "../template/properties.ts";
import type { Action, ActionRule, ActionTargets, RuleOutput } from "./action.ts";
import { outputJson } from "./output-json.ts";

const sqsProperties: PropertyTable = {
  QueueUrl: performed,
  RoleArn: noEffect("nothing here asks IAM"),
  UseBase64: performed,
};

/**
 * Sends the output to a standard queue. The action is done when the message is on disk.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/sqs-rule-action.html
 */
export function sqsAction(value: unknown, at: string, rule: ActionRule, { queues }: ActionTargets): Action {
  const properties = new Properties(value, sqsProperties, at);
  const url = properties.text("QueueUrl");
  const queue = queues.get(url);
  if (queue === undefined) throw new EngineError("ERR_REFERENCE", `${at} sends to ${url}, no queue of the template`);
  const isBase64 = properties.flag("UseBase64", false);
  return {
    name: "SqsAction",
    resource: url,
    // Not `async`: the message's rows and its receipt are staged in one turn.
    run: (output, { messageId, isReport }) =>
      queue.send(bodyOf(output, isBase64, isReport), { messageId, deadOf: isReport ? rule.name : undefined }),
  };
}

function bodyOf(output: RuleOutput, isBase64: boolean, isReport: boolean): string {
  const text = output.kind === "json" ? outputJson(output, isReport) : Buffer.from(output.bytes).toString();
  if (isBase64) return (output.kind === "json" ? Buffer.from(text) : Buffer.from(output.bytes)).toString("base64");
  if (!isMessageText(text))
    throw new Error("InvalidMessageContents: the message has characters that SQS does not take");
  return text;
}
