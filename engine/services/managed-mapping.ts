import type { MappingPlan } from "../template/plan.ts";
import type { EventSourceMapping } from "./event-source-mapping.ts";
import type { MappingState, MappingStates } from "./mapping-states.ts";

/** @see https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html, `State` */
export type MappingCondition = "Enabling" | "Enabled" | "Disabling" | "Disabled" | "Updating";

/** An event source mapping as it can be changed while it runs. */
export class ManagedMapping {
  readonly plan: MappingPlan;
  readonly #mapping: EventSourceMapping;
  readonly #states: MappingStates;
  readonly #concurrencyOf: (maximumConcurrency: number | undefined) => number;
  #state: MappingState;

  /** @param concurrencyOf Invocations at one time that a mapping with a maximum, or without one, comes to. */
  constructor(
    plan: MappingPlan,
    mapping: EventSourceMapping,
    states: MappingStates,
    concurrencyOf: (maximumConcurrency: number | undefined) => number,
  ) {
    this.plan = plan;
    this.#mapping = mapping;
    this.#states = states;
    this.#concurrencyOf = concurrencyOf;
    this.#state = states.get(plan);
  }

  get state(): MappingState {
    return this.#state;
  }

  /** A disabled mapping is `Disabling` until its last invocation has ended. */
  get condition(): MappingCondition {
    if (this.#state.isEnabled) return "Enabled";
    return this.#mapping.isRunning ? "Disabling" : "Disabled";
  }

  /**
   * Remembers the change, then makes it.
   *
   * @returns the condition that AWS answers with, on its way to the new one.
   */
  update(change: Partial<Omit<MappingState, "modifiedAt">>): MappingCondition {
    const before = this.#state;
    const state = { ...before, ...change, modifiedAt: Date.now() };
    this.#states.set(this.plan, state);
    this.#state = state;
    this.#mapping.setMaximumConcurrency(this.#concurrencyOf(state.maximumConcurrency));
    this.#mapping.setEnabled(state.isEnabled);
    if (state.isEnabled === before.isEnabled) return "Updating";
    return state.isEnabled ? "Enabling" : "Disabling";
  }
}
