import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "../../bridge/broker-process.ts";

/** Writes a password file for users whose password is their name backwards, and gives its path. */
export async function writePasswords(folder: string, users: readonly string[]): Promise<string> {
  const file = join(folder, "passwords");
  const program = await findProgram("mosquitto_passwd");
  if (program === undefined) throw new Error("no mosquitto_passwd is installed; npm test installs it");
  for (const [index, user] of users.entries()) {
    const create = index === 0 ? ["-c"] : [];
    await promisify(execFile)(program, [...create, "-b", file, user, passwordOf(user)]);
  }
  return file;
}

export function passwordOf(user: string): string {
  return [...user].reverse().join("");
}
