/** dynalite comes without types; these are of what is used here. */
declare module "dynalite" {
  import type { Server } from "node:http";

  export interface DynaliteOptions {
    /** Folder of the LevelDB database; in memory without it. */
    readonly path?: string;
    /** Milliseconds that a table is `CREATING`, 500 by default. */
    readonly createTableMs?: number;
  }

  /** A server that does not listen yet. To close it closes its database too; to listen again opens it again. */
  export default function dynalite(options?: DynaliteOptions): Server;
}
