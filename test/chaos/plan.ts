import type { EngineProcess } from "./engine-process.ts";
import type { Progress } from "./progress.ts";
import type { Tally } from "./tally.ts";

/** What a plan may look at and lay hands on while messages flow. */
export interface PlanContext {
  readonly engine: EngineProcess;
  readonly tally: Tally;
  readonly progress: Progress;
  /** From 0 up to 1, by the run's seed. */
  readonly random: () => number;
  readonly kills: number;
  /** Records a disturbance with the messages that it finds under way; to be called right before it. */
  readonly note: (what: string) => void;
}

/** One way of disturbing a run; resolves when the last disturbance is over. */
export type Plan = (context: PlanContext) => Promise<void>;
