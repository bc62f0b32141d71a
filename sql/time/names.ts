/** English names, as Java and Joda-Time write and read them. */
export const MONTHS = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];

/** From Monday, which ISO 8601 counts as 1. */
export const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export function shortened(names: readonly string[], length = 3): readonly string[] {
  return names.map((name) => name.slice(0, length));
}
