/** The variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What Powertools reads of a function's environment by itself. */
export interface PowertoolsEnvironment extends Record<string, string> {
  /** The dimension `service` of metrics and the field `service` of log lines. */
  readonly POWERTOOLS_SERVICE_NAME: string;
  readonly POWERTOOLS_METRICS_NAMESPACE: string;
  readonly POWERTOOLS_LOG_LEVEL: string;
}

/** @throws an error that names the variable where it is missing or empty. */
export function readVariable(variables: Variables, name: string): string {
  const value = variables[name];
  if (value === undefined || value === "") throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** @throws an error that names the variable where it is missing or no whole number of 1 or more. */
export function readCount(variables: Variables, name: string): number {
  const count = Number(readVariable(variables, name));
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`${name} is '${variables[name]}', not a whole number of 1 or more`);
}
