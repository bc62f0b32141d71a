import { ArnFormat, Stack } from "aws-cdk-lib";
import type { TrestleFunction } from "./trestle-function.ts";

/** Lets a function read secrets by their names. */
export function allowSecrets(reading: TrestleFunction<never>, names: readonly string[]): void {
  if (names.length === 0) return;
  reading.allow(
    ["secretsmanager:GetSecretValue"],
    names.map((name) => secretArnPattern(Stack.of(reading), name)),
  );
}

/** Secrets Manager appends six characters of its own to a secret's name. */
function secretArnPattern(stack: Stack, name: string): string {
  return stack.formatArn({
    service: "secretsmanager",
    resource: "secret",
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
