/** A line of a configuration that Mosquitto reads: a directive and its value, where it stands. */
export interface ConfLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly name: string;
  /** The rest of the line, with its spaces; empty where there is none. */
  readonly value: string;
}

/**
 * The lines of a file that Mosquitto reads, as it cuts them: `#` begins a comment as the first character of a line only, a
 * name ends at the first space, and a tab is part of what it stands in.
 *
 * @see mosquitto 2.1, src/conf.c, config__read_file_core
 */
export function readLines(text: string, file: string): readonly ConfLine[] {
  return text.split("\n").flatMap((raw, index) => {
    if (raw.startsWith("#")) return [];
    const [, name, value = ""] = /^ *([^ ]+)(?: (.*))?$/s.exec(raw.replace(/\r+$/, "")) ?? [];
    return name === undefined ? [] : [{ file, line: index + 1, name, value: value.trim() }];
  });
}

/** As it stands in its file. */
export function textOf({ name, value }: ConfLine): string {
  return value === "" ? name : `${name} ${value}`;
}
