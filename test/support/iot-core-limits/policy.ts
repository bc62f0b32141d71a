/** What the policies of a certificate allow. */
export interface Policy {
  mayConnect(clientId: string): boolean;
  mayPublish(topic: string): boolean;
  maySubscribe(filter: string): boolean;
}

/** What a bridge needs, and no more than its topics. */
export const basicIngestOnly: Policy = {
  mayConnect: () => true,
  mayPublish: (topic) => topic.startsWith("$aws/rules/"),
  maySubscribe: () => false,
};

export const everything: Policy = { mayConnect: () => true, mayPublish: () => true, maySubscribe: () => true };

interface Statement {
  readonly Effect: string;
  readonly Action: string;
  readonly Resource: string | readonly string[];
}

/**
 * What policy documents allow, as far as the bridge's use them: Allow, one action, resources with `*`; conditions count
 * as met.
 */
export function policyOf(documents: readonly string[]): Policy {
  const statements = documents.flatMap((text): readonly Statement[] => JSON.parse(text).Statement);
  const allows = (action: string, kind: string) => {
    const resources = statements
      .filter(({ Effect, Action }) => Effect === "Allow" && Action === action)
      .flatMap(({ Resource }) => Resource);
    const patterns = resources.map((arn) => pattern(arn, kind));
    return (name: string) => patterns.some((each) => each?.test(name) === true);
  };
  return {
    mayConnect: allows("iot:Connect", "client"),
    mayPublish: allows("iot:Publish", "topic"),
    maySubscribe: allows("iot:Subscribe", "topicfilter"),
  };
}

/** `*` stands for any characters, slashes among them. */
function pattern(arn: string, kind: string): RegExp | undefined {
  const [, found, name = ""] = /^arn:[^:]+:iot:[^:]*:[^:]*:([a-z]+)\/(.*)$/.exec(arn) ?? [];
  if (found !== kind) return undefined;
  return new RegExp(`^${name.split("*").map(literal).join(".*")}$`, "s");
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
