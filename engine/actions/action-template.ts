import type { SqlVersion } from "../../sql/context.ts";
import { SqlError } from "../../sql/errors.ts";
import { compileTemplateParts, type TemplateParts } from "../../sql/template.ts";
import { EngineError } from "../engine-error.ts";
import type { ActionRule } from "./action.ts";

/** Compiles a substitution template of an action. @throws {EngineError} `ERR_SQL` */
export function readTemplate(text: string, at: string, { sqlVersion, variables }: ActionRule): TemplateParts {
  try {
    return compileTemplateParts(text, { version: sqlVersion as SqlVersion, variables });
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new EngineError("ERR_SQL", `${at}: ${error.message}`, { cause: error });
  }
}
