import { EngineError } from "./engine-error.ts";
import type { Invocations } from "./invocations.ts";
import { HttpApi, type HttpApiCounts } from "./services/http-api.ts";
import { HttpListener } from "./services/http-listener.ts";
import { LocalToken } from "./services/local-token.ts";
import type { SynchronousInvocations } from "./services/synchronous-invocations.ts";
import { mayInvoke } from "./template/permissions.ts";
import type { HttpApiPlan, Plan } from "./template/plan.ts";

export interface HttpApiServerOptions {
  readonly plan: HttpApiPlan;
  readonly accountId: string;
  /** Where its token is kept. */
  readonly dataFolder: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** By the function's ARN. */
  readonly invocations: ReadonlyMap<string, SynchronousInvocations>;
}

/**
 * What invokes the functions of a plan's HTTP API, by their ARNs.
 *
 * @throws {EngineError} for a route whose function API Gateway may not invoke: it would answer 500 to everybody.
 */
export function invocationsOfHttpApi(
  plan: Plan,
  invocations: Invocations,
): ReadonlyMap<string, SynchronousInvocations> {
  const found = new Map<string, SynchronousInvocations>();
  for (const { logicalId, functionArn, arn } of plan.httpApi?.routes ?? []) {
    const synchronous = invocations.synchronousOf(functionArn);
    if (synchronous === undefined) throw new EngineError("ERR_REFERENCE", `${logicalId} names no function`);
    if (!mayInvoke(plan, "apigateway.amazonaws.com", arn, functionArn)) {
      const message = `${logicalId} invokes ${functionArn} without an AWS::Lambda::Permission for ${arn}: AWS would refuse it`;
      throw new EngineError("ERR_PERMISSION_MISSING", message);
    }
    found.set(functionArn, synchronous);
  }
  return found;
}

/** Serves an HTTP API on loopback to those who have the token. */
export class HttpApiServer implements AsyncDisposable {
  readonly token: string;
  readonly #api: HttpApi;
  readonly #listener: HttpListener;

  private constructor(token: string, api: HttpApi, listener: HttpListener) {
    this.token = token;
    this.#api = api;
    this.#listener = listener;
  }

  /** @throws {EngineError} `ERR_PORT` */
  static async start({ dataFolder, port, ...options }: HttpApiServerOptions): Promise<HttpApiServer> {
    const token = LocalToken.of(dataFolder);
    let address = "";
    const api = new HttpApi({ ...options, token, address: () => address });
    const listener = await HttpListener.start(api, { port });
    address = new URL(listener.url).host;
    return new HttpApiServer(token.text, api, listener);
  }

  get url(): string {
    return this.#listener.url;
  }

  get counts(): HttpApiCounts & { readonly requests: number } {
    return { ...this.#api.counts, ...this.#listener.counts };
  }

  /** Takes no connection any more. */
  stop(): void {
    this.#listener.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
  }
}
