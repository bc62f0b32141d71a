import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { ProvisionError } from "./provision-error.ts";

/** Amazon's roots, RSA and elliptic curves: AWS advises clients to trust all of them, as endpoints change over. */
const wanted = [1, 2, 3, 4].map((number) => `C=US\nO=Amazon\nCN=Amazon Root CA ${number}`);

/**
 * PEM of the authorities that sign the certificates of AWS IoT's endpoints.
 *
 * They come from Mozilla's list, which Node carries in its program: nothing is downloaded, and neither the environment
 * nor the machine's own store changes them.
 *
 * @throws {ProvisionError} `ROOTS_MISSING`
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/server-authentication.html
 */
export function amazonRoots(bundle: readonly string[] = rootCertificates): string {
  const bySubject = new Map(bundle.map((pem) => [new X509Certificate(pem).subject, pem]));
  const found = wanted.flatMap((subject) => bySubject.get(subject) ?? []);
  if (found.length < wanted.length) {
    const message =
      `this Node ${process.version} carries ${found.length} of Amazon's ${wanted.length} root certificates; ` +
      "use a build from nodejs.org";
    throw new ProvisionError("ROOTS_MISSING", message);
  }
  return found.map((pem) => `${pem.trim()}\n`).join("");
}
