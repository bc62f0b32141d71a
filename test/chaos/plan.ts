import type { Scheme } from "../../scheme/scheme.ts";
import type { TestBroker } from "../support/mosquitto.ts";
import type { ApiProcess } from "./api-process.ts";
import type { EngineProcess } from "./engine-process.ts";
import type { Progress } from "./progress.ts";
import type { Publisher } from "./publisher.ts";
import type { Tally } from "./tally.ts";

/** What a plan may look at and lay hands on while messages flow. */
export interface PlanContext {
  readonly scheme: Scheme;
  readonly broker: TestBroker;
  readonly engine: EngineProcess;
  readonly api: ApiProcess;
  readonly publisher: Publisher;
  readonly tally: Tally;
  readonly progress: Progress;
  /** The engine's. */
  readonly dataFolder: string;
  /** From 0 up to 1, by the run's seed. A plan draws all that it needs before it waits, so that a seed repeats a run. */
  readonly random: () => number;
  /** The part of the run that is the plan's to disturb, in parts of its messages from 0 to 1. */
  readonly share: Share;
  readonly kills: number;
  /** How long a disturbance of the API lasts at the most. */
  readonly faultSeconds: number;
  /** Records a disturbance with the messages that it finds under way; to be called right before it. */
  readonly note: (what: string) => void;
}

export interface Share {
  readonly from: number;
  readonly to: number;
}

/** One way of disturbing a run; resolves when the last disturbance is over. */
export type Plan = (context: PlanContext) => Promise<void>;
