import { type PowertoolsEnvironment, readVariable, type Variables } from "../read-variable.ts";

/** The environment of `dead-letters`. */
export interface DeadLettersEnvironment extends PowertoolsEnvironment {
  readonly DEAD_LETTERS_TABLE: string;
  /** Where the attempts of a message are noted. */
  readonly DELIVERIES_TABLE: string;
}

export interface DeadLettersSettings {
  readonly deadLettersTable: string;
  readonly deliveriesTable: string;
}

/** Reads the environment once. A missing value names its variable. */
export function readEnvironment(variables: Variables): DeadLettersSettings {
  return {
    deadLettersTable: readVariable(variables, "DEAD_LETTERS_TABLE"),
    deliveriesTable: readVariable(variables, "DELIVERIES_TABLE"),
  };
}
