import { expect, test } from "vitest";
import { sign, signingKey } from "./sign.ts";

const body = Buffer.from('{"test": 2432232314}');
const request = { method: "POST", path: "/", headers: ["x-a", "1"], body } as const;
const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const now = 1_614_265_330_999;
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
// The specification's own test vector.
const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

test("signs as the specification's vector does", () => {
  expect(sign(request, [signingKey(secret, "acme/signing")], id, now).headers).toEqual([
    ...["x-a", "1"],
    ...["webhook-id", id, "webhook-timestamp", "1614265330", "webhook-signature", signature],
  ]);
});

test("signs with both keys while they are changed", () => {
  const other = signingKey(`whsec_${Buffer.alloc(32, 7).toString("base64")}`, "acme/next");
  const signatures = sign(request, [signingKey(secret, "acme/signing"), other], id, now)
    .headers.at(-1)
    ?.split(" ");
  expect(signatures).toEqual([signature, expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/)]);
  expect(signatures?.[1]).not.toBe(signature);
});

test("signs other bytes, another id and another second otherwise", () => {
  const keys = [signingKey(secret, "acme/signing")];
  const others = [
    sign({ ...request, body: Buffer.from('{"test":2432232314}') }, keys, id, now),
    sign(request, keys, "msg_2", now),
    sign(request, keys, id, now + 1000),
  ];
  for (const { headers } of others) expect(headers.at(-1)).not.toBe(signature);
});

test("leaves a request alone where there is no key", () => {
  expect(sign(request, [], id, now)).toBe(request);
});

test.for([
  ["no prefix", secret.slice("whsec_".length)],
  ["no base64", "whsec_$$$$"],
  ["too short a key", `whsec_${Buffer.alloc(23).toString("base64")}`],
  ["too long a key", `whsec_${Buffer.alloc(65).toString("base64")}`],
  ["nothing in it", ""],
] as const)("refuses a secret with %s, and does not show it", ([, text]) => {
  expect(() => signingKey(text, "acme/signing")).toThrow(
    "the value of secret 'acme/signing' is no signing secret: whsec_ and 24 to 64 bytes in base64",
  );
});

test.for([24, 64])("takes a key of %i bytes, and a line feed after it", (bytes) => {
  expect(signingKey(`whsec_${Buffer.alloc(bytes).toString("base64")}\n`, "acme/signing")).toHaveLength(bytes);
});
