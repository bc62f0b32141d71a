import type { FailureClass } from "./policy.ts";

/** How an attempt ended, as far as it says something of the endpoint. */
export type Sign = "success" | Exclude<FailureClass, "message">;

/** Why a circuit opens. */
export type OpeningReason =
  | "ENDPOINT_FAULT" // a failure that no single device can cause
  | "SUSPECTS_IN_A_ROW" // different devices, all told that they are unknown, unwanted or elsewhere
  | "FAILURES_IN_A_ROW"
  | "MOSTLY_FAILURES";

/** Different devices in succession whose suspect failures make it the endpoint's fault. */
const suspectDevices = 5;
const failuresInARow = 20;
/** Outcomes that are looked back upon; more than half of them are too many failures. */
const windowSize = 40;

/**
 * The latest outcomes of a route in one execution environment, and whether they say that its endpoint is at fault.
 *
 * Devices are counted, not only failures: one device alone must not stop the others. Failures open a circuit where they
 * come from five devices, or from all that there are where a route has fewer. To be fed with first attempts only: among
 * the later ones, failures are all that there is.
 */
export class OutcomeWindow {
  #outcomes: { readonly deviceId: string; readonly isFailure: boolean }[] = [];
  /** Since the last success. */
  #failures: { readonly deviceId: string; readonly isSuspect: boolean }[] = [];

  /** Takes an outcome in; a reason is a reason to open, after which the window is empty. */
  note(deviceId: string, sign: Sign): OpeningReason | undefined {
    const isFailure = sign !== "success";
    this.#outcomes.push({ deviceId, isFailure });
    if (this.#outcomes.length > windowSize) this.#outcomes.shift();
    if (!isFailure) {
      this.#failures = [];
      return undefined;
    }
    this.#failures.push({ deviceId, isSuspect: sign === "suspect" });
    if (this.#failures.length > windowSize) this.#failures.shift();
    const reason = sign === "endpoint" ? "ENDPOINT_FAULT" : this.#judge();
    if (reason !== undefined) this.clear();
    return reason;
  }

  clear(): void {
    this.#outcomes = [];
    this.#failures = [];
  }

  #judge(): OpeningReason | undefined {
    if (devicesOf(this.#failures.filter(({ isSuspect }) => isSuspect)) >= suspectDevices) return "SUSPECTS_IN_A_ROW";
    const wanted = Math.min(suspectDevices, devicesOf(this.#outcomes));
    if (this.#failures.length >= failuresInARow && devicesOf(this.#failures) >= wanted) return "FAILURES_IN_A_ROW";
    const failures = this.#outcomes.filter(({ isFailure }) => isFailure);
    const areMost = this.#outcomes.length === windowSize && failures.length > windowSize / 2;
    return areMost && devicesOf(failures) >= wanted ? "MOSTLY_FAILURES" : undefined;
  }
}

function devicesOf(outcomes: readonly { readonly deviceId: string }[]): number {
  return new Set(outcomes.map(({ deviceId }) => deviceId)).size;
}
