/** What can go wrong beside the limits. */
export interface Faults {
  /** Whether the PUBACK of a publish is lost on the way; it counts those that passed, from 1. */
  readonly forgetsPuback: (passed: number) => boolean;
  /** Milliseconds that whatever the client is told takes longer, as a distant endpoint's answers do. */
  readonly answerDelayMs: number;
}

export const noFaults: Faults = { forgetsPuback: () => false, answerDelayMs: 0 };
