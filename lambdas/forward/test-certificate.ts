import "reflect-metadata"; // before x509, which is decorated
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";

/** A server's key and certificate, in PEM, that no authority has signed. */
export async function selfSignedCertificate(host: string): Promise<{ readonly key: string; readonly cert: string }> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const kind = /^[\d.]+$/.test(host) ? "ip" : "dns";
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${host}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: kind, value: host }])],
  });
  const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return { key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`, cert: certificate.toString("pem") };
}
