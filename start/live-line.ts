import type { EngineCounts } from "../engine/engine.ts";

/** One line on a second: rates since the line before, and totals. */
export function liveLine(counts: EngineCounts, before: EngineCounts, seconds: number): string {
  const rate = (name: "received" | "delivered") => Math.round((counts[name] - before[name]) / seconds);
  const numbers = new Intl.NumberFormat("en");
  const total = (name: keyof EngineCounts) => `${name} ${numbers.format(counts[name])}`;
  const rates = `in ${numbers.format(rate("received"))}/s  out ${numbers.format(rate("delivered"))}/s`;
  return `${rates}  |  ${(["received", "delivered", "pending", "failed", "dead", "lost"] as const).map(total).join("  ")}`;
}
