import { costOf, type Price } from "./prices.ts";

/** What a month has of one thing, and costs. */
export interface CostLine {
  readonly name: string;
  /** Of a month, in the price's unit. */
  readonly amount: number;
  readonly unit: string;
  readonly usdPerMonth: number;
  /** Costs the same whatever is sent. */
  readonly isFixed: boolean;
}

export const bytesPerGb = 1e9;

/** Of what Lambda writes for each invocation: START 71, END 52 and REPORT 147 bytes, each metered with 26 more. */
export const platformLogBytes = 348;

/** An idle queue: five long polls of 20 s at one time, for each of them. */
export const idleReceivesPerSecond = 5 / 20;

/** What an invocation is paid by: its memory for its time. */
export function gbSeconds(invocations: number, durationMs: number, memoryMb: number): number {
  return (invocations * (durationMs / 1000) * memoryMb) / 1024;
}

export function line(name: string, price: Price, amount: number, isFixed = false): CostLine {
  return { name, amount, unit: price.unit, usdPerMonth: costOf(price, amount), isFixed };
}
