/** What a fleet sends, and what becomes of it: the plan's input, without gaps. */
export interface Workload {
  readonly devices: number;
  /** Messages per second and device, on average in the hours in which they come. */
  readonly ratePerDevice: number;
  /** How much more the busiest seconds have; quotas are held against them, costs are of the average. */
  readonly peakFactor: number;
  /** Hours of a day in which messages come, evenly. */
  readonly hoursPerDay: number;
  readonly payloadBytes: number;
  readonly topicBytes: number;
  /** QoS 1 routes, with an even share each. */
  readonly routes: number;
  /** What the API takes to answer. */
  readonly apiMs: number;
}

const daysPerMonth = 365 / 12;
export const secondsPerHour = 3_600;
export const minutesPerMonth = daysPerMonth * 24 * 60;

/** Messages per second, in the hours in which they come. */
export function messagesPerSecond({ devices, ratePerDevice }: Workload): number {
  return devices * ratePerDevice;
}

/** Requests at one time that the busiest second brings. */
export function requestsAtPeak(workload: Workload): number {
  return (messagesPerSecond(workload) * workload.peakFactor * workload.apiMs) / 1000;
}

/** Seconds of a month in which messages come. */
export function activeSecondsPerMonth({ hoursPerDay }: Workload): number {
  return daysPerMonth * hoursPerDay * secondsPerHour;
}

export function messagesPerMonth(workload: Workload): number {
  return messagesPerSecond(workload) * activeSecondsPerMonth(workload);
}
