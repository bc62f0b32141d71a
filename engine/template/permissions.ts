import type { Plan } from "./plan.ts";

/** Whether AWS would let a service, acting for one of its resources, invoke a function. */
export function mayInvoke(
  { permissions }: Plan,
  service: "apigateway.amazonaws.com" | "events.amazonaws.com" | "iot.amazonaws.com",
  sourceArn: string,
  functionArn: string,
): boolean {
  return permissions.some(
    (permission) =>
      permission.functionArn === functionArn &&
      permission.principal === service &&
      (permission.sourceArn === undefined || isArnLike(sourceArn, permission.sourceArn)),
  );
}

const arnParts = 6;

/**
 * IAM's `ArnLike`, which a permission's source is compared by: `*` and `?` stand for characters of one part of the ARN,
 * the last of which holds colons and slashes.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
function isArnLike(arn: string, pattern: string): boolean {
  const [parts, patterns] = [partsOf(arn), partsOf(pattern)];
  return patterns.length === parts.length && patterns.every((each, index) => isLike(parts[index] ?? "", each));
}

function partsOf(arn: string): readonly string[] {
  const parts = arn.split(":");
  return [...parts.slice(0, arnParts - 1), parts.slice(arnParts - 1).join(":")];
}

function isLike(text: string, pattern: string): boolean {
  const source = pattern.replaceAll(/[\\^$.|?*+()[\]{}]/g, (sign) => wildcards[sign] ?? `\\${sign}`);
  return new RegExp(`^${source}$`, "s").test(text);
}

const wildcards: Readonly<Record<string, string>> = { "*": ".*", "?": "." };
