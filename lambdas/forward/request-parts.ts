import type { Logger } from "@aws-lambda-powertools/logger";
import type { Scheme } from "../../scheme/scheme.ts";
import { fetchSecret } from "../secrets.ts";
import { createApiHeaders } from "./api-headers.ts";
import type { DeliverOptions } from "./deliver.ts";
import type { ForwardSettings } from "./environment.ts";
import { ApiConnection } from "./send.ts";

/** What a function needs to make requests of messages: made once for its execution environment. */
export function createRequestParts(
  { api }: Pick<Scheme, "api">,
  { apiUrl, parallelRequests }: Pick<ForwardSettings, "apiUrl" | "parallelRequests">,
  logger: Pick<Logger, "warn">,
): Pick<DeliverOptions, "apiUrl" | "apiHeaders" | "connection"> {
  return {
    apiUrl,
    apiHeaders: createApiHeaders({
      headers: api.headers,
      signing: api.signing,
      fetchSecret,
      onStale: (error) => logger.warn("secret not looked up again, the value before is kept", { error: String(error) }),
    }),
    connection: new ApiConnection(apiUrl, { connections: parallelRequests, timeoutMs: api.timeoutMs }),
  };
}
