import type { RouteStates } from "../store/route-states.ts";
import type { Mappings } from "./mappings.ts";
import type { ProbeResult } from "./probe.ts";

export interface ReconcileOptions {
  readonly states: Pick<RouteStates, "read" | "close">;
  /** Takes a message from the route's retry queue and attempts it as `forward` would. */
  readonly probe: (route: string) => Promise<ProbeResult>;
  /** Told of a circuit that is open still, with the milliseconds that it has been so, */
  readonly onOpen: (route: string, openForMs: number) => void;
  /** and of one that this call has closed. */
  readonly onClosed: (route: string, openForMs: number) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Makes a route's retry queue wait or flow as its circuit says, and closes the circuit where the API is well again. */
export type Reconcile = (route: string, mappings: Mappings) => Promise<void>;

/**
 * Different messages that are tried in one go. The first may be one that the API never takes, or one that it takes too
 * long over.
 */
const maxProbes = 3;

export function createReconcile(options: ReconcileOptions): Reconcile {
  const { states, probe, onOpen, onClosed, now = Date.now } = options;
  return async (route, mappings) => {
    const { isOpen, openedAt, probeAt, holdUntil } = await states.read(route);
    if (isOpen) {
      await mappings.setEnabled(route, false);
      if (now() < Math.max(probeAt, holdUntil) || !(await isWell(route, probe))) {
        onOpen(route, now() - openedAt);
        return;
      }
      // First the state: `forward` would give everything back as long as it is open.
      if (await states.close(route)) onClosed(route, now() - openedAt);
    }
    await mappings.setEnabled(route, true);
  };
}

async function isWell(route: string, probe: ReconcileOptions["probe"]): Promise<boolean> {
  for (let count = 0; count < maxProbes; count += 1) {
    const result = await probe(route);
    if (result !== "failure") return result === "success";
  }
  return false;
}
