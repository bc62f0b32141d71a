import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { amazonRoots } from "./amazon-roots.ts";

test("holds Amazon's four roots, and no other authority", () => {
  const pems = amazonRoots().match(/-----BEGIN.+?-----END CERTIFICATE-----\n/gs) ?? [];
  const names = pems.map((pem) => new X509Certificate(pem)).map(({ subject, issuer }) => [subject, issuer]);
  expect(names).toEqual(
    [1, 2, 3, 4].map((number) => {
      const name = `C=US\nO=Amazon\nCN=Amazon Root CA ${number}`;
      return [name, name];
    }),
  );
});

test("the first one is the one that AWS publishes", () => {
  const [pem = ""] = amazonRoots().split(/(?<=END CERTIFICATE-----)\n/);
  expect(new X509Certificate(pem).fingerprint256).toBe(
    "8E:CD:E6:88:4F:3D:87:B1:12:5B:A3:1A:C3:FC:B1:3D:70:16:DE:7F:57:CC:90:4F:E1:CB:97:C6:AE:98:19:6E",
  );
});

test("says so where a Node does without them", () => {
  expect(() => amazonRoots([])).toThrow(/carries 0 of Amazon's 4 root certificates/);
});
