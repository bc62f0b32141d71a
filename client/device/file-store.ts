import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DeviceStore } from "./store.ts";

/**
 * Keeps each key in a file of its own in the folder, which is made where it is missing.
 *
 * What is kept survives the end of the process, however that comes. After a loss of power the file system may have
 * forgotten the last files as a whole; it has none by half.
 */
export async function openFileStore(folder: string): Promise<DeviceStore> {
  await mkdir(folder, { recursive: true });
  return {
    load: () => load(folder),
    set: async (key, value) => {
      const path = join(folder, fileName(key));
      await write(`${path}.new`, JSON.stringify({ key, value }));
      await rename(`${path}.new`, path);
    },
    delete: (key) => rm(join(folder, fileName(key)), { force: true }),
  };
}

const ending = ".json";

/** A hash, since keys hold what file names cannot, and some file systems take `A` for `a`. */
function fileName(key: string): string {
  return `${createHash("sha256").update(key).digest("hex")}${ending}`;
}

async function load(folder: string): Promise<readonly (readonly [string, string])[]> {
  const names = await readdir(folder);
  const entries: (readonly [string, string])[] = [];
  for (const name of names.filter((each) => each.endsWith(ending))) {
    const { key, value } = JSON.parse(await readFile(join(folder, name), "utf8"));
    entries.push([key, value]);
  }
  return entries;
}

async function write(path: string, text: string): Promise<void> {
  await using file = await open(path, "w");
  await file.writeFile(text);
  await file.datasync();
}
