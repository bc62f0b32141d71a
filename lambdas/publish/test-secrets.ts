/** Secrets by name, each a list of what it is from one look-up to the next; the last stays. */
export type TestSecrets = Readonly<Record<string, readonly string[]>>;

/** In place of Secrets Manager; the names that were asked for are in `asked`. */
export function secretsOf(secrets: TestSecrets) {
  const asked: string[] = [];
  const fetchSecret = async (name: string): Promise<string> => {
    const values = secrets[name] ?? [];
    const value = values[Math.min(asked.filter((each) => each === name).length, values.length - 1)];
    asked.push(name);
    if (value === undefined) throw new Error(`there is no ${name}`);
    return value;
  };
  return { asked, fetchSecret };
}
