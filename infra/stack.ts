import { type App, CfnParameter, DefaultStackSynthesizer, type IStackSynthesizer, Stack } from "aws-cdk-lib";
import type { Scheme } from "../scheme/scheme.ts";
import { Alarms } from "./alarms.ts";
import { Commands } from "./commands.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Ingest } from "./ingest.ts";
import { publishes } from "./scheme-needs.ts";
import { Stores } from "./stores.ts";

export interface TrestleStackProps {
  readonly scheme: Scheme;
  /** The file that the scheme was loaded from. */
  readonly configFile: string;
}

/**
 * All that a scheme needs on AWS, for any account and region.
 *
 * `ApiUrl` and `BrokerUrls` are parameters, so that the same template can be pointed at another API and other brokers:
 * staging ones, or those on the machine that the local engine runs on.
 */
export class TrestleStack extends Stack {
  constructor(app: App, { scheme, configFile }: TrestleStackProps) {
    super(app, `${scheme.name}-${scheme.stage}`, {
      description: `Trestle ${scheme.name} (${scheme.stage}): MQTT messages of devices as HTTP requests to the API`,
      analyticsReporting: false,
      // The CLI checks the bootstrap stack's version itself; without the rule the template stands alone.
      // The cast: aws-cdk-lib's own types do not agree under `exactOptionalPropertyTypes`.
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) as IStackSynthesizer,
    });
    const apiUrl = new CfnParameter(this, "ApiUrl", {
      description: "Base of every request to the API",
      default: scheme.api.url,
      allowedPattern: "^https?://[^?#\\s]+$",
      constraintDescription: "must be an http: or https: URL without query and fragment",
    });
    const stores = new Stores(this, "Stores", scheme);
    const deadLetters = new DeadLetters(this, "DeadLetters", { scheme, configFile, stores });
    const commands = publishes(scheme)
      ? new Commands(this, "Commands", { scheme, configFile, stores, deadLetters })
      : undefined;
    const { retryQueues, circuit, frames } = new Ingest(this, "Ingest", {
      scheme,
      configFile,
      apiUrl: apiUrl.valueAsString,
      stores,
      deadLetters,
      onlineEvents: commands?.onlineEvents,
    });
    if (scheme.alarms === undefined) return;
    new Alarms(this, "Alarms", {
      scheme,
      email: scheme.alarms.email,
      deadLetterQueue: deadLetters.queue,
      framesQueue: frames?.queue,
      retryQueues,
      functions: new Map([
        ...(circuit === undefined ? [] : ([["circuit", circuit.function]] as const)),
        ...(frames === undefined ? [] : ([["frames", frames]] as const)),
        ["dead-letters", deadLetters.function],
        ...(commands?.functions ?? []),
      ]),
    });
  }
}
