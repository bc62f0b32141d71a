import { z } from "zod";
import { ProvisionError } from "./provision-error.ts";

const certificate = z.strictObject({
  arn: z.templateLiteral(["arn:", z.string(), ":iot:", z.string(), ":", z.string(), ":cert/", z.string()]),
  id: z.string(),
  /** PEM. */
  certificate: z.string(),
  privateKey: z.string(),
});

/** The form of a folder's `credentials.json` and of a secret's value. */
const credentials = z.strictObject({
  version: z.literal(1),
  /** The account's endpoint in the region, a host name. */
  endpoint: z.string(),
  clientId: z.string(),
  /** PEM of the authorities that the endpoint's certificate is signed by. */
  ca: z.string(),
  /** In force: what the bridge is to use. */
  current: certificate.optional(),
  /** Made, and not in force before its policies are attached and it is active. */
  next: certificate.optional(),
  /** In force as well, until a rotation is finished. */
  previous: certificate.optional(),
});

/** Name of the file in a folder that holds all that is known, the keys among it; what Mosquitto reads is taken out of it. */
export const credentialsFileName = "credentials.json";

/** A certificate of the bridge with its key, which AWS gives out once. */
export type BridgeCertificate = z.infer<typeof certificate>;

/** All that a bridge needs to connect, and that provisioning needs to go on where it was interrupted. */
export type Credentials = z.infer<typeof credentials>;

/** @throws {ProvisionError} `CREDENTIALS_UNREADABLE` */
export function readCredentials(text: string, place: string): Credentials {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProvisionError("CREDENTIALS_UNREADABLE", `${place} is not JSON`, { cause });
  }
  const { data, error } = credentials.safeParse(value);
  if (data !== undefined) return data;
  // The path only: a message might hold a key.
  const path = error.issues[0]?.path.join(".") || "the document";
  throw new ProvisionError("CREDENTIALS_UNREADABLE", `${place} is not what provision writes: look at '${path}'`);
}

export function writeCredentials(value: Credentials): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
