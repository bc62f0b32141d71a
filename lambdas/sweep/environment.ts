import { type PowertoolsEnvironment, readVariable, type Variables } from "../read-variable.ts";

/** The environment of `sweep`. */
export interface SweepEnvironment extends PowertoolsEnvironment {
  readonly COMMANDS_TABLE: string;
  /** URLs of the brokers with commas between them, in the order of the scheme's `brokers`. */
  readonly BROKER_URLS: string;
}

export interface SweepSettings {
  readonly commandsTable: string;
  readonly brokerUrls: readonly string[];
}

/** Reads the environment once. A missing value names its variable. */
export function readEnvironment(variables: Variables): SweepSettings {
  return {
    commandsTable: readVariable(variables, "COMMANDS_TABLE"),
    brokerUrls: readVariable(variables, "BROKER_URLS").split(","),
  };
}
