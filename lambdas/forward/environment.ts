/** The environment variables that `forward` is deployed with; AWS adds its own. */
export interface ForwardEnvironment extends Record<string, string> {
  /** Base of every request, without a slash at its end. */
  readonly API_URL: string;
  /** Requests of one invocation that are under way at one time; a direct invocation has only one. */
  readonly PARALLEL_REQUESTS: string;
  /** Powertools: the dimension `service` of metrics and the field `service` of log lines. */
  readonly POWERTOOLS_SERVICE_NAME: string;
  readonly POWERTOOLS_METRICS_NAMESPACE: string;
  readonly POWERTOOLS_LOG_LEVEL: string;
}

/** What `forward` itself reads; the rest is for Powertools. */
export interface ForwardSettings {
  readonly apiUrl: URL;
  readonly parallelRequests: number;
}

/** Reads the environment once, when an execution environment starts. A missing or odd value names its variable. */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): ForwardSettings {
  const apiUrl = URL.parse(required(environment, "API_URL"));
  if (apiUrl === null) throw new Error(`API_URL is no URL: '${environment.API_URL}'`);
  const parallelRequests = Number(required(environment, "PARALLEL_REQUESTS"));
  if (!Number.isInteger(parallelRequests) || parallelRequests < 1) {
    throw new Error(`PARALLEL_REQUESTS is '${environment.PARALLEL_REQUESTS}', not a whole number of 1 or more`);
  }
  return { apiUrl, parallelRequests };
}

function required(
  environment: Readonly<Record<string, string | undefined>>,
  name: keyof ForwardEnvironment & string,
): string {
  const value = environment[name];
  if (value === undefined || value === "") throw new Error(`the environment variable ${name} is not set`);
  return value;
}
