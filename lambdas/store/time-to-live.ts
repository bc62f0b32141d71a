/** The attribute by which DynamoDB removes an item, in seconds since 1970. */
export const timeToLiveAttribute = "expiresAt";

const dayMs = 86_400_000;

/** The attribute of an item that is kept for some days. */
export function expiresIn(days: number, now: number): { readonly [timeToLiveAttribute]: number } {
  return { [timeToLiveAttribute]: Math.ceil((now + days * dayMs) / 1000) };
}

/** DynamoDB removes an item up to days after its time: until then it is for readers to leave it out. */
export function isExpired(item: Readonly<Record<string, unknown>>, now: number): boolean {
  const at = item[timeToLiveAttribute];
  return typeof at === "number" && at * 1000 <= now;
}
