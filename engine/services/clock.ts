/** Time, which a test may make pass as it likes. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back once after a time in milliseconds; the process does not stay up for it. */
  readonly setTimer: (callback: () => void, ms: number) => Timer;
}

export interface Timer {
  clear(): void;
}

/** `setTimeout` calls back at once for more than this. */
const longestTimeoutMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  // Looked up at each call, so that a test may replace them.
  now: () => Date.now(),
  setTimer: (callback, ms) => {
    const timer = setTimeout(callback, Math.min(ms, longestTimeoutMs)).unref();
    return { clear: () => clearTimeout(timer) };
  },
};
