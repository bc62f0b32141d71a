import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AwsServices } from "./aws-services.ts";
import type { ServedHttpApi } from "./engine.ts";

type Services = Pick<AwsServices, "environment" | "ledgerUrl"> & { readonly httpApi?: ServedHttpApi | undefined };

/**
 * Says in the data folder where the services and the HTTP API of a running engine are, for commands: `services.json`, readable by its
 * owner only, since who knows where they are may ask them. Its disposal takes it away; a crash leaves it, with ports
 * where nobody listens.
 */
export class ServicesFile implements Disposable {
  readonly #file: string;

  constructor(dataFolder: string, { environment, ledgerUrl, httpApi }: Services) {
    this.#file = join(dataFolder, "services.json");
    // Under another name first: a mode is for files that are made, not for those that are there.
    const written = `${this.#file}.new`;
    rmSync(written, { force: true });
    writeFileSync(written, JSON.stringify({ environment, ledgerUrl, httpApi }), { mode: 0o600 });
    renameSync(written, this.#file);
  }

  [Symbol.dispose](): void {
    rmSync(this.#file, { force: true });
  }
}
