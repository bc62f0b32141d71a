/** What some routes failed of; the others were served all the same. */
export class RoutesError extends AggregateError {
  override readonly name = "RoutesError";
  readonly routes: readonly string[];

  constructor(failures: ReadonlyMap<string, unknown>) {
    const reasons = [...failures].map(
      ([route, error]) => `${route}: ${error instanceof Error ? error.message : error}`,
    );
    super([...failures.values()], reasons.join("; "));
    this.routes = [...failures.keys()];
  }
}

/**
 * Does something for every route at the same time: one that is slow or fails holds up no other.
 *
 * @throws {RoutesError} when all have ended, where some failed.
 */
export async function runRoutes(routes: Iterable<string>, run: (route: string) => Promise<void>): Promise<void> {
  const failures = new Map<string, unknown>();
  const runs = [...new Set(routes)].map((route) =>
    run(route).catch((error: unknown) => {
      failures.set(route, error);
    }),
  );
  await Promise.all(runs);
  if (failures.size > 0) throw new RoutesError(failures);
}
