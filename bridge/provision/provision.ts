import type { Credentials } from "./credentials.ts";
import { ProvisionError } from "./provision-error.ts";
import { Provisioning, type ProvisionOptions } from "./provisioning.ts";

/**
 * Gives a bridge its certificate and the certificate its policies. What is there already is left as it is; a run that
 * was interrupted is completed by the next one.
 *
 * The order is what makes it safe: a certificate is made inactive, kept, given its policies, activated, and only then
 * the one in force.
 *
 * @throws {ProvisionError}
 */
export async function provision(options: ProvisionOptions): Promise<Credentials> {
  const work = await Provisioning.begin(options);
  return await work.complete(work.stored?.current === undefined);
}

/** Puts a new certificate beside the one in force, which stays valid; a second run changes nothing. */
export async function rotate(options: ProvisionOptions): Promise<Credentials> {
  const work = await Provisioning.begin(options);
  const { previous } = work.need("rotate");
  if (previous !== undefined) options.calls.print(`both certificates are valid already; --finish ends ${previous.id}`);
  return await work.complete(previous === undefined);
}

/** Deactivates and deletes the certificate that was in force before the last rotation. */
export async function finishRotation(options: ProvisionOptions): Promise<Credentials> {
  const work = await Provisioning.begin(options);
  const { next, previous } = work.need("finish");
  if (next !== undefined) {
    throw new ProvisionError("ROTATION_UNFINISHED", `the new certificate ${next.id} is not in force: run rotate again`);
  }
  const credentials = await work.complete(false);
  if (previous === undefined) {
    options.calls.print("there is one certificate: nothing to finish");
    return credentials;
  }
  return await work.retire(credentials, previous);
}
