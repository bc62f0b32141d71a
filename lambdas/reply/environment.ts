import { type PowertoolsEnvironment, readVariable, type Variables } from "../read-variable.ts";

/** The environment of `reply`. */
export interface ReplyEnvironment extends PowertoolsEnvironment {
  readonly COMMANDS_TABLE: string;
  readonly DEAD_LETTERS_TABLE: string;
}

export interface ReplySettings {
  readonly commandsTable: string;
  readonly deadLettersTable: string;
}

/** Reads the environment once. A missing value names its variable. */
export function readEnvironment(variables: Variables): ReplySettings {
  return {
    commandsTable: readVariable(variables, "COMMANDS_TABLE"),
    deadLettersTable: readVariable(variables, "DEAD_LETTERS_TABLE"),
  };
}
