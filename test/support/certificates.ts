// The certificate library needs decorator metadata, which has to be there before it is loaded.
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

export interface Leaf {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A certificate authority of one test. */
export interface Authority {
  readonly caPem: string;
  /** A certificate for servers and clients alike; `hosts` are the names and addresses that a server answers to. */
  issue(subject: {
    readonly commonName: string;
    readonly hosts?: readonly string[];
    /** A day from now, unless said otherwise. */
    readonly notAfter?: Date;
  }): Promise<Leaf>;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
// Clocks of virtual machines jump: an hour before now is safe to begin with.
const notBefore = new Date(Date.now() - 3_600_000);
const tomorrow = new Date(Date.now() + 24 * 3_600_000);

export async function createAuthority(): Promise<Authority> {
  const keys = await generateKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Trestle test authority",
    notBefore,
    notAfter: tomorrow,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    caPem: ca.toString("pem"),
    issue: ({ commonName, hosts = ["localhost", "127.0.0.1"], notAfter = tomorrow }) =>
      issue(ca, keys.privateKey, commonName, hosts, notAfter),
  };
}

/** Writes an authority's certificate and gives its path. */
export async function writeAuthority(folder: string, { caPem }: Authority): Promise<string> {
  const path = join(folder, "ca.pem");
  await writeFile(path, caPem);
  return path;
}

/** Writes `<name>.pem` and, for its owner alone, `<name>.key`; gives their paths by Mosquitto's words. */
export async function writeLeaf(
  folder: string,
  name: string,
  { certPem, keyPem }: Leaf,
): Promise<{ readonly certfile: string; readonly keyfile: string }> {
  const files = { certfile: join(folder, `${name}.pem`), keyfile: join(folder, `${name}.key`) };
  await writeFile(files.certfile, certPem);
  await writeFile(files.keyfile, keyPem, { mode: 0o600 });
  return files;
}

async function issue(
  ca: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
  commonName: string,
  hosts: readonly string[],
  notAfter: Date,
): Promise<Leaf> {
  const keys = await generateKeys();
  const names = hosts.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }],
    issuer: ca.subject,
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(ca),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { certPem: certificate.toString("pem"), keyPem: x509.PemConverter.encode(key, "PRIVATE KEY") };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}
