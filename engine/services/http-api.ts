import { randomUUID } from "node:crypto";
import type { HttpApiPlan } from "../template/plan.ts";
import { fieldsOf, httpEvent, splitTarget } from "./http-event.ts";
import { answerOf, functionFailed } from "./http-function-answer.ts";
import type { HttpHandler, HttpRequest } from "./http-listener.ts";
import { gatewayMessage, type HttpAnswer, problem } from "./http-problem.ts";
import { readSegments, type SelectedRoute, selectRoute } from "./http-routes.ts";
import type { LocalToken } from "./local-token.ts";
import type { SynchronousInvocations } from "./synchronous-invocations.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface HttpApiOptions {
  readonly plan: HttpApiPlan;
  readonly accountId: string;
  readonly token: LocalToken;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A function's, by its ARN. */
  readonly invocations: ReadonlyMap<string, SynchronousInvocations>;
  /** Where it is served, `127.0.0.1:18832`; asked for when there is a request. */
  readonly address: () => string;
  /** Of the stage; its own by default. */
  readonly bucket?: TokenBucket;
}

/** What became of requests since the start. */
export interface HttpApiCounts {
  /** The function had the request, whatever it said. */
  invoked: number;
  /** Answered 429: no function has seen them. */
  throttled: number;
  /** Answered 503, since the function runs as often as it may. */
  busy: number;
  /** Without the token, without a route, or not what the API takes. */
  refused: number;
}

/** Lambda's, of an event that somebody waits for. */
const maxEventBytes = 6 * 1024 * 1024;

const unavailable = gatewayMessage(503, "Service Unavailable");

/** An API Gateway HTTP API: who may call, how often, and which function has the request. */
export class HttpApi implements HttpHandler {
  readonly counts: HttpApiCounts = { invoked: 0, throttled: 0, busy: 0, refused: 0 };
  readonly #options: HttpApiOptions;
  readonly #bucket: TokenBucket;

  constructor(options: HttpApiOptions) {
    const { ratePerSecond, burst } = options.plan.throttling;
    this.#options = options;
    this.#bucket = options.bucket ?? new TokenBucket(ratePerSecond, burst);
  }

  refuse(request: HttpRequest): HttpAnswer | undefined {
    const refusal = this.#read(request).refusal;
    if (refusal !== undefined) this.counts.refused += 1;
    return refusal;
  }

  async answer(request: HttpRequest, body: Buffer): Promise<HttpAnswer> {
    const { refusal, segments, selected } = this.#read(request);
    const invocations = selected && this.#options.invocations.get(selected.route.functionArn);
    if (refusal !== undefined || selected === undefined || invocations === undefined) return refusal ?? functionFailed;
    if (!this.#bucket.take()) {
      this.counts.throttled += 1;
      return problem(429, "RATE_LIMITED", "more requests than the stage lets through", { "retry-after": "1" });
    }
    const requestId = randomUUID();
    const { plan, accountId, now, address } = this.#options;
    const context = { api: plan, accountId, selected, segments, requestId, now: now(), address: address() };
    const event = JSON.stringify(httpEvent(request, body, context));
    if (Buffer.byteLength(event) > maxEventBytes) {
      this.counts.refused += 1;
      return problem(413, "PAYLOAD_TOO_LARGE", `a function is handed ${maxEventBytes} bytes at most`);
    }
    const outcome = await invocations.invoke(event, selected.route.timeoutMs);
    this.counts[outcome.kind === "throttled" ? "busy" : "invoked"] += 1;
    const answer = outcome.kind === "answered" ? answerOf(outcome.json) : failures[outcome.kind];
    return { ...answer, headers: { ...answer.headers, "apigw-requestid": requestId } };
  }

  #read({ method, target, rawHeaders }: HttpRequest): ReadRequest {
    const segments = readSegments(splitTarget(target).path);
    if (segments === undefined) {
      return { segments: [], refusal: problem(400, "BAD_REQUEST", "the path is no percent-encoding of UTF-8") };
    }
    const selected = selectRoute(this.#options.plan.routes, method, segments);
    if (selected === undefined) return { segments, refusal: gatewayMessage(404, "Not Found") };
    const [authorization, another] = fieldsOf(rawHeaders).get("authorization") ?? [];
    const isAuthorized = another === undefined && this.#options.token.isBorneBy(authorization);
    return { segments, selected, refusal: isAuthorized ? undefined : unauthorized[selected.route.authorization.kind] };
  }
}

interface ReadRequest {
  /** Of the path, decoded. */
  readonly segments: readonly string[];
  readonly selected?: SelectedRoute;
  readonly refusal: HttpAnswer | undefined;
}

/** As API Gateway says it where a signature or an issuer's token is missing or wrong. */
const unauthorized = {
  iam: gatewayMessage(403, "Forbidden"),
  jwt: gatewayMessage(401, "Unauthorized", { "www-authenticate": "Bearer" }),
};

/** Of a function that failed, took longer than the integration waits, or was not invoked. */
const failures = { failed: functionFailed, "timed-out": unavailable, throttled: unavailable };
