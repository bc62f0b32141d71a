import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { OperateError } from "./operate-error.ts";

/** Where the services of an engine that runs are found. */
export interface LocalServices {
  /** Endpoints by the variables that the AWS SDK reads. */
  readonly environment: Readonly<Record<string, string>>;
  readonly ledgerUrl: string;
}

/** `npm start` gives the engine a folder inside its own, `node engine/main.ts` the folder itself. */
const folders = ["queues", "."];

/** Finds the engine that runs with a data folder. @throws {OperateError} `ENGINE_NOT_RUNNING` */
export async function findServices(dataFolder: string): Promise<LocalServices> {
  const services = await lookForServices(dataFolder);
  if (services === undefined) throw notRunning(dataFolder);
  return services;
}

/**
 * Finds the engine that runs with a data folder, if one does, and sees that it answers: one that was killed leaves its
 * file behind.
 */
export async function lookForServices(dataFolder: string): Promise<LocalServices | undefined> {
  for (const folder of engineFolders(dataFolder)) {
    const services = readServices(folder);
    if (services !== undefined && (await answers(services.ledgerUrl))) return services;
  }
  return undefined;
}

/** Where an engine may have its queues, and while it runs its services file. */
export function engineFolders(dataFolder: string): readonly string[] {
  return folders.map((folder) => join(dataFolder, folder));
}

export function notRunning(dataFolder: string): OperateError {
  const folder = relative(process.cwd(), dataFolder) || ".";
  const message = `no engine runs with the data in ${folder}: start it (npm start), name its folder by --data, or use --aws`;
  return new OperateError("ENGINE_NOT_RUNNING", message);
}

function readServices(folder: string): LocalServices | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "services.json"), "utf8")) as LocalServices;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    return answer.ok; // the port may be another's now
  } catch {
    return false;
  }
}
