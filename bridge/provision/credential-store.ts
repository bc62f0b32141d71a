import type { Credentials } from "./credentials.ts";

/**
 * Where a bridge's credentials are kept. A key is given out once: `write` returns when they are kept for certain, and
 * does nothing where they are already.
 */
export interface CredentialStore {
  /** For messages: the path of the file, or the secret's name. */
  readonly place: string;
  /** @throws {ProvisionError} `CREDENTIALS_UNREADABLE` */
  read(): Promise<Credentials | undefined>;
  write(credentials: Credentials): Promise<void>;
}
