import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** In the data folder. */
export const tokenFileName = "http-api-token";

/** What stands in for AWS's signatures and for tokens of an issuer on one machine: who has it may call the API. */
export class LocalToken {
  readonly text: string;
  readonly #hash: Buffer;

  constructor(text: string) {
    this.text = text;
    this.#hash = hashOf(text);
  }

  /** The data folder's, made at the first time: it outlives the engine, so that scripts may keep it. */
  static of(dataFolder: string): LocalToken {
    const file = join(dataFolder, tokenFileName);
    const known = read(file);
    if (known !== undefined) {
      // A copy or a backup may have given it another mode.
      chmodSync(file, 0o600);
      return new LocalToken(known);
    }
    const made = randomBytes(32).toString("base64url");
    writeFileSync(`${file}.new`, made, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return new LocalToken(made);
  }

  /** Whether the field `authorization` of a request bears it; how long that takes says nothing about the token. */
  isBorneBy(authorization: string | undefined): boolean {
    const [, token] = /^bearer +([^ ]+)$/i.exec(authorization ?? "") ?? [];
    return token !== undefined && timingSafeEqual(hashOf(token), this.#hash);
  }
}

function read(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8");
    // What a crash left half written, or somebody emptied, is none.
    return /^[\w-]{43}$/.test(text) ? text : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Of one length, whatever was sent. */
function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
