import { MessageError } from "../../scheme/message-error.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import type { Deliver, Outcome } from "./deliver.ts";
import type { OnlineDevices } from "./online-devices.ts";
import { readIngestMessage } from "./read-message.ts";
import type { Report } from "./report.ts";
import { type Delivery, routeMessage } from "./to-request.ts";

export interface ForwardDirectOptions {
  readonly routes: Scheme["routes"];
  readonly deliver: Deliver;
  readonly report: Report;
  /** Told of devices that send; undefined where nobody wants to know. */
  readonly online?: Pick<OnlineDevices, "heard"> | undefined;
}

/**
 * Forwards the one message of a direct event.
 *
 * What fails is thrown: nobody looks at what an asynchronous invocation returns. QoS 0 has no second try, so that it
 * is lost then, and counted.
 *
 * @param requestId Lambda's id of the invocation, the same where Lambda repeats it.
 * @throws {ForwardError | MessageError}
 */
export async function forwardDirect(event: unknown, requestId: string, options: ForwardDirectOptions): Promise<void> {
  const { report } = options;
  const { traceId, route } = fieldsOf(event);
  const outcome = await attempt(event, { id: traceId ?? requestId, attempt: 1 }, options);
  report.received(route);
  report.add(route, outcome);
  if (outcome.kind === "delivered") {
    // A line for each message would cost more than its request.
    report.publishNowAndThen();
    return;
  }
  report.publish();
  throw outcome.kind === "busy" ? new Error("a direct message has no lease") : outcome.error;
}

async function attempt(
  event: unknown,
  delivery: Delivery,
  { deliver, routes, online }: ForwardDirectOptions,
): Promise<Outcome> {
  try {
    const routed = routeMessage(readIngestMessage(event), routes);
    online?.heard(routed);
    return await deliver(routed, delivery);
  } catch (error) {
    if (error instanceof MessageError) return { kind: "refused", error };
    throw error;
  }
}

/** What a direct event says, whether or not the rest of it is as it should be. */
function fieldsOf(event: unknown): { readonly traceId: string | undefined; readonly route: string } {
  const { traceId, route } = typeof event === "object" && event !== null ? (event as Record<string, unknown>) : {};
  return {
    traceId: typeof traceId === "string" && traceId !== "" ? traceId : undefined,
    route: typeof route === "string" ? route : "",
  };
}
