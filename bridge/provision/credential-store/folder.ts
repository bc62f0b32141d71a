import { mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Calls } from "../calls.ts";
import type { CredentialStore } from "../credential-store.ts";
import { type Credentials, credentialsFileName, readCredentials, writeCredentials } from "../credentials.ts";
import { ProvisionError } from "../provision-error.ts";

/** Names of the files that Mosquitto reads. */
export const bridgeFiles = { cafile: "amazon-root-ca.pem", certfile: "bridge.pem", keyfile: "bridge.key" } as const;

const ownerOnly = 0o600;

/** Keeps credentials in a folder, in files that only their owner can read. */
export function folderStore(folder: string, calls: Calls): CredentialStore {
  const document = join(folder, credentialsFileName);
  const told = new Set<string>();
  const tell = (path: string) => {
    if (!told.has(path)) calls.print(calls.isDryRun ? `${path} (not written)` : path);
    told.add(path);
  };
  return {
    place: document,
    async read() {
      const text = await onDisk(() => readIfThere(document));
      return text === undefined ? undefined : readCredentials(text, document);
    },
    write: (credentials) => onDisk(() => writeAll(credentials)),
  };

  async function writeAll(credentials: Credentials): Promise<void> {
    if (!calls.isDryRun) await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [name, text] of filesOf(credentials)) {
      const path = join(folder, name);
      if (await isThere(path, text)) continue;
      tell(path);
      if (!calls.isDryRun) await replace(path, text);
    }
  }
}

async function onDisk<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const { message } = cause as Error;
    throw new ProvisionError("CREDENTIALS_UNWRITABLE", `the folder cannot keep credentials: ${message}`, { cause });
  }
}

/** The document first: what is in it is kept, whatever happens to the others. */
function filesOf(credentials: Credentials): ReadonlyMap<string, string> {
  const files = new Map([[credentialsFileName, writeCredentials(credentials)]]);
  const { current, ca } = credentials;
  if (current === undefined) return files;
  return files
    .set(bridgeFiles.cafile, ca)
    .set(bridgeFiles.keyfile, current.privateKey)
    .set(bridgeFiles.certfile, current.certificate);
}

/** Whether the file holds the text, and for its owner alone. */
async function isThere(path: string, text: string): Promise<boolean> {
  return (await readIfThere(path)) === text && ((await stat(path)).mode & 0o777) === ownerOnly;
}

/** Puts a new file in the place of the old one when it is on disk as a whole. */
async function replace(path: string, text: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  await unlink(unfinished).catch(ignoreMissing);
  const file = await open(unfinished, "wx", ownerOnly);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

async function readIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch(ignoreMissing);
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
