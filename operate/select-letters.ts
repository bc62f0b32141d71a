import type { DeadLetter, DeadLetters } from "../lambdas/store/dead-letters.ts";
import type { LetterSelection } from "./dead-letters-options.ts";

/** The records that a filter selects, read as they are wanted. */
export async function* selectLetters(
  { route, deviceId, reason, since, until, states, limit }: Omit<LetterSelection, "ids">,
  deadLetters: Pick<DeadLetters, "list">,
): AsyncGenerator<DeadLetter, void, undefined> {
  let count = 0;
  for await (const letter of deadLetters.list({ route, deviceId, reason, since, until })) {
    if (count >= limit) return;
    if (states !== "all" && !states.has(letter.state)) continue;
    count += 1;
    yield letter;
  }
}

/**
 * The ids of what is selected: all of them before the first is changed, since a change moves records about under a
 * reader, and since their number says how long it will take.
 */
export async function selectIds(
  selection: LetterSelection,
  deadLetters: Pick<DeadLetters, "list">,
): Promise<readonly string[]> {
  if (selection.ids.length > 0) return [...new Set(selection.ids)];
  const ids: string[] = [];
  for await (const { id } of selectLetters(selection, deadLetters)) ids.push(id);
  return ids;
}
