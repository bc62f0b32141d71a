import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Scheme } from "../scheme/scheme.ts";
import { aclFile } from "./acl.ts";
import { aclFileName, mosquittoConf } from "./mosquitto-conf.ts";
import { type BrokerOptions, readOptions } from "./options.ts";

/** Name of the file that Mosquitto is started with. */
export const configFileName = "mosquitto.conf";

/**
 * The files that configure one Mosquitto, as text by name.
 *
 * @throws {BridgeError} where an option is not possible.
 */
export function brokerFiles(scheme: Scheme, options: BrokerOptions): ReadonlyMap<string, string> {
  const settings = readOptions(scheme, options);
  return new Map([
    [configFileName, mosquittoConf(scheme, settings)],
    [aclFileName, aclFile(scheme, settings)],
  ]);
}

/** Writes the files into a folder, which is made where it is missing, and gives their paths. */
export async function writeBrokerFiles(folder: string, files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    [...files].map(async ([name, text]) => {
      const path = join(folder, name);
      await writeFile(path, text);
      return path;
    }),
  );
}
