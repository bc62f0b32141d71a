import { resolve } from "node:path";
import { defaultConfigFile } from "../scheme/load-scheme.ts";

/** Which deployment a command speaks to. */
export interface Place {
  readonly configFile: string;
  /** On AWS, with the credentials and the region that AWS's own tools would use; else on this machine. */
  readonly isAws: boolean;
  /** Of the engine on this machine, as `npm start` has it. */
  readonly dataFolder: string;
}

/** Where `npm start` keeps its data unless it is told otherwise. */
const defaultDataFolder = ".trestle/18830";

export const placeFlags = {
  config: { type: "string", default: defaultConfigFile },
  aws: { type: "boolean", default: false },
  data: { type: "string", default: defaultDataFolder },
  help: { type: "boolean", short: "h", default: false },
} as const;

export const placeHelp = `  --data DIR       data of the engine on this machine, ${defaultDataFolder} by default, as of npm start
  --aws            the deployment on AWS instead, with AWS's usual credentials and region
  --config FILE    the topic scheme, ${defaultConfigFile} by default
  --help`;

export function readPlace(values: { readonly config: string; readonly aws: boolean; readonly data: string }): Place {
  return { configFile: resolve(values.config), isAws: values.aws, dataFolder: resolve(values.data) };
}
