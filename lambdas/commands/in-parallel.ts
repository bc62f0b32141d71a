/** Does something with each of many, `limit` of them at one time. Ends with the first error, as far as one comes. */
export async function inParallel<Entry>(
  entries: readonly Entry[],
  limit: number,
  work: (entry: Entry) => Promise<unknown>,
): Promise<void> {
  const iterator = entries.values();
  const worker = async () => {
    for (const entry of iterator) await work(entry);
  };
  await Promise.all(Array.from({ length: Math.min(limit, entries.length) }, worker));
}
