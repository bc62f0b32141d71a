import { describe, expect, test } from "vitest";
import type { RouteState } from "../store/route-states.ts";
import { type Lane, type Opening, RouteGate, type RouteStateStore } from "./route-gate.ts";

const closed: RouteState = {
  isOpen: false,
  openedAt: 0,
  closedAt: 0,
  probeAt: 0,
  holdUntil: 0,
  lastSuccessAt: 0,
  waitingDevices: new Map(),
  slowDevices: new Map(),
};

/** Gates of several environments that share what they write down, and a clock that stands until it is moved. */
class Environments {
  now = 1_800_000_000_000;
  state: RouteState = closed;
  isDown = false;
  readonly announced: Opening[] = [];
  readonly errors: unknown[] = [];
  readonly #states: RouteStateStore = {
    read: async () => {
      if (this.isDown) throw new Error("no store");
      return this.state;
    },
    open: async (_, { reason, probeAt }) => {
      const isFirst = !this.state.isOpen;
      this.state = { ...this.state, isOpen: true, openedAt: this.now, reason, probeAt };
      return isFirst;
    },
    hold: async (_, holdUntil) => {
      this.state = { ...this.state, holdUntil };
    },
    holdDevice: async (_, deviceId, kind, until) => {
      const key = kind === "slow" ? "slowDevices" : "waitingDevices";
      this.state = { ...this.state, [key]: new Map([...this.state[key], [deviceId, until]]) };
    },
    noteSuccess: async (_, lastSuccessAt) => {
      this.state = { ...this.state, lastSuccessAt };
    },
  };

  gate(lane: Lane = "fresh"): RouteGate {
    return new RouteGate("location", {
      lane,
      states: this.#states,
      announce: async (_, opening) => void this.announced.push(opening),
      onError: (error) => this.errors.push(error),
      now: () => this.now,
      random: () => 0,
    });
  }

  /** As at the beginning of a batch, after a time. */
  async pass(ms: number, ...gates: readonly RouteGate[]): Promise<void> {
    this.now += ms;
    for (const gate of gates) {
      await gate.refresh();
      await gate.settled();
    }
  }
}

function fail(gate: RouteGate, deviceId: string, code: "HTTP_503" | "HTTP_401" | "HTTP_429", retryAfterMs?: number) {
  gate.failure({ deviceId, code, retryAfterMs, isFirst: true });
}

describe("a route's gate", () => {
  test("opens the circuit once for all environments, and lets nothing through", async () => {
    const all = new Environments();
    const [one, other, retry] = [all.gate(), all.gate(), all.gate("retry")];
    await all.pass(0, one, other, retry);
    for (let count = 0; count < 20; count += 1) {
      fail(one, `d${count}`, "HTTP_503");
      fail(other, `d${count}`, "HTTP_503");
    }
    await Promise.all([one.settled(), other.settled()]);
    expect(all.announced).toEqual([{ reason: "FAILURES_IN_A_ROW", code: "HTTP_503" }]);
    expect(all.state).toMatchObject({ isOpen: true, reason: "FAILURES_IN_A_ROW HTTP_503", probeAt: all.now + 10_000 });
    await all.pass(1_000, retry);
    expect([one.delaySeconds("d1"), other.delaySeconds("d1"), retry.delaySeconds("d1")]).toEqual([0, 0, 30]);
    all.state = closed;
    await all.pass(10_000, one, other, retry);
    expect([one.delaySeconds("d1"), other.delaySeconds("d1"), retry.delaySeconds("d1")]).toEqual(
      Array(3).fill(undefined),
    );
  });

  test("knows at once that the circuit was closed", async () => {
    const all = new Environments();
    const gate = all.gate();
    all.state = { ...closed, isOpen: true };
    await all.pass(0, gate);
    expect(gate.delaySeconds("d1")).toBe(0);
    all.state = { ...closed, closedAt: all.now };
    all.now += 100;
    await gate.refresh();
    expect(gate.delaySeconds("d1")).toBeUndefined();
  });

  test("holds the route for the time of a Retry-After, in every environment, and begins slowly after it", async () => {
    const all = new Environments();
    const [one, other] = [all.gate(), all.gate()];
    await all.pass(0, one, other);
    fail(one, "d1", "HTTP_429", 7_000);
    await all.pass(1_500, one, other);
    expect([one.delaySeconds("d2"), other.delaySeconds("d3")]).toEqual([6, 6]);
    await all.pass(5_500, one, other);
    expect([one.delaySeconds("d2"), other.delaySeconds("d3")]).toEqual([undefined, undefined]);
    expect(other.parallelRequests(10)).toBe(1);
    all.now += 4_000;
    expect(other.parallelRequests(10)).toBe(4);
    all.now += 60_000;
    expect(other.parallelRequests(10)).toBe(10);
  });

  test("opens the circuit for a Retry-After of hours, to be probed at its end", async () => {
    const all = new Environments();
    const gate = all.gate();
    await all.pass(0, gate);
    fail(gate, "d1", "HTTP_503", 3_600_000);
    await gate.settled();
    expect(all.state).toMatchObject({ isOpen: true, probeAt: all.now + 3_600_000 });
    expect(all.announced).toEqual([{ reason: "RETRY_AFTER", code: "HTTP_503" }]);
  });

  test("holds one device alone where only it is asked to slow down", async () => {
    const all = new Environments();
    const [one, other] = [all.gate(), all.gate()];
    await all.pass(0, one, other);
    one.success("d2", true, 5);
    fail(one, "d1", "HTTP_429", 30_000);
    await all.pass(1_000, one, other);
    expect([one.delaySeconds("d1"), other.delaySeconds("d1")]).toEqual([29, 29]);
    expect([one.delaySeconds("d2"), other.delaySeconds("d2")]).toEqual([undefined, undefined]);
    // For longer than SQS can keep a message: it is looked at again meanwhile.
    fail(one, "d1", "HTTP_429", 12 * 3_600_000);
    expect(one.delaySeconds("d1")).toBe(3_600);
    // A second device without a success between: it is the endpoint.
    fail(one, "d3", "HTTP_429", 30_000);
    expect(one.delaySeconds("d2")).toBe(30);
  });

  test("takes a slow device's messages off the fresh lane, not off the other", async () => {
    const all = new Environments();
    const [fresh, retry] = [all.gate(), all.gate("retry")];
    await all.pass(0, fresh, retry);
    fresh.noteDuration("d1", 2_000);
    expect(fresh.delaySeconds("d1")).toBeUndefined(); // nothing to compare with
    fresh.success("d2", true, 5);
    fresh.noteDuration("d1", 2_000);
    await all.pass(1_000, fresh, retry);
    expect([fresh.delaySeconds("d1"), fresh.delaySeconds("d2"), retry.delaySeconds("d1")]).toEqual([
      0,
      undefined,
      undefined,
    ]);
    await all.pass(60_000, fresh);
    expect(fresh.delaySeconds("d1")).toBeUndefined();
  });

  test.for([
    [10_000, false], // the fresh lane succeeds
    [20_000, true], // nobody does
  ] as const)(
    "takes a slow device's time-outs, %i ms after the last success, for the endpoint's: %s",
    async ([ms, isOpen]) => {
      const all = new Environments();
      const [fresh, retry] = [all.gate(), all.gate("retry")];
      await all.pass(0, fresh, retry);
      fresh.success("d2", true, 5);
      await all.pass(ms, retry);
      for (let count = 0; count < 20; count += 1) {
        retry.failure({ deviceId: "d1", code: "TIMEOUT", retryAfterMs: undefined, isFirst: true });
      }
      await retry.settled();
      expect(all.state.isOpen).toBe(isOpen);
    },
  );

  test("does not call anybody slow where all are", async () => {
    const all = new Environments();
    const gate = all.gate();
    await all.pass(0, gate);
    for (let count = 0; count < 10; count += 1) gate.success(`d${count}`, true, 800);
    gate.noteDuration("d1", 2_000);
    expect(gate.delaySeconds("d1")).toBeUndefined();
  });

  test("does not count later attempts: among them failures are all that there is", async () => {
    const all = new Environments();
    const gate = all.gate("retry");
    await all.pass(0, gate);
    for (let count = 0; count < 100; count += 1) {
      gate.failure({ deviceId: `d${count}`, code: "HTTP_404", retryAfterMs: undefined, isFirst: false });
    }
    await gate.settled();
    expect(all.state.isOpen).toBe(false);
  });

  test("knows of successes in other environments", async () => {
    const all = new Environments();
    const [fresh, retry] = [all.gate(), all.gate("retry")];
    await all.pass(0, fresh, retry);
    const before = all.now - 1;
    expect(retry.hasSucceededSince(before)).toBe(false);
    fresh.success("d2", true, 5);
    await all.pass(1_000, fresh, retry);
    expect(retry.hasSucceededSince(before)).toBe(true);
    expect(retry.hasSucceededSince(all.now)).toBe(false);
  });

  test("goes on with what it knows while the store is away", async () => {
    const all = new Environments();
    const gate = all.gate();
    all.isDown = true;
    await all.pass(0, gate);
    expect(gate.delaySeconds("d1")).toBeUndefined();
    expect(all.errors).toEqual([new Error("no store")]);
    all.isDown = false;
    all.state = { ...closed, isOpen: true };
    await all.pass(11_000, gate);
    all.isDown = true;
    await all.pass(11_000, gate);
    expect(gate.delaySeconds("d1")).toBe(0);
  });
});
