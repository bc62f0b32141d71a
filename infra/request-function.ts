import { ArnFormat, Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { RequestEnvironment } from "../lambdas/forward/environment.ts";
import { secretNames } from "./scheme-needs.ts";
import { TrestleFunction, type TrestleFunctionProps } from "./trestle-function.ts";

/** A function that makes requests: it can read the scheme's secrets, too. */
export class RequestFunction<Environment extends RequestEnvironment> extends TrestleFunction<Environment> {
  constructor(scope: Construct, id: string, props: TrestleFunctionProps<Environment>) {
    super(scope, id, props);
    const names = secretNames(props.scheme);
    if (names.length === 0) return;
    this.allow(
      ["secretsmanager:GetSecretValue"],
      names.map((name) => secretArnPattern(this, name)),
    );
  }
}

/** Secrets Manager appends six characters of its own to a secret's name. */
function secretArnPattern(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({
    service: "secretsmanager",
    resource: "secret",
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
