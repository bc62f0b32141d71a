import { type PowertoolsEnvironment, readVariable, type Variables } from "../read-variable.ts";

/** The environment of a function that publishes commands: `push` and `sweep`. */
export interface PublishingEnvironment extends PowertoolsEnvironment {
  readonly COMMANDS_TABLE: string;
  /** URLs of the brokers with commas between them, in the order of the scheme's `brokers`. */
  readonly BROKER_URLS: string;
}

export interface PublishingSettings {
  readonly commandsTable: string;
  readonly brokerUrls: readonly string[];
}

/** Reads the environment once. A missing value names its variable. */
export function readEnvironment(variables: Variables): PublishingSettings {
  return {
    commandsTable: readVariable(variables, "COMMANDS_TABLE"),
    brokerUrls: readVariable(variables, "BROKER_URLS").split(","),
  };
}
