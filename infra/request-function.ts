import type { Construct } from "constructs";
import type { RequestEnvironment } from "../lambdas/forward/environment.ts";
import { apiSecretNames } from "./scheme-needs.ts";
import { allowSecrets } from "./secrets.ts";
import { TrestleFunction, type TrestleFunctionProps } from "./trestle-function.ts";

/** A function that makes requests: it can read the secrets of the API, too. */
export class RequestFunction<Environment extends RequestEnvironment> extends TrestleFunction<Environment> {
  constructor(scope: Construct, id: string, props: TrestleFunctionProps<Environment>) {
    super(scope, id, props);
    allowSecrets(this, apiSecretNames(props.scheme));
  }
}
