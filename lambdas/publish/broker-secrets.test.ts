import { expect, test } from "vitest";
import { secret } from "../../scheme/scheme.ts";
import { createBrokerSecrets, type SecretsOptions } from "./broker-secrets.ts";
import { secretsOf, type TestSecrets } from "./test-secrets.ts";

const url = "mqtts://broker.example.com";
const credentials = secret("acme/broker");

function readerOf(secrets: TestSecrets, options: Partial<SecretsOptions>) {
  const { asked, fetchSecret } = secretsOf(secrets);
  return { asked, read: createBrokerSecrets({ name: "b:8883", url, fetchSecret, ...options }) };
}

test("looks the secrets up once, and again when that is wanted", async () => {
  const secrets = {
    "acme/broker": ['{"username":"push","password":"old"}', '{"username":"push","password":"new"}'],
    "acme/ca": ["PEM"],
  };
  const { read, asked } = readerOf(secrets, { credentials, ca: secret("acme/ca") });
  const old = { username: "push", password: "old", ca: "PEM" };
  expect(await Promise.all([read(), read()])).toEqual([old, old]);
  expect(asked).toEqual(["acme/broker", "acme/ca"]);
  expect(await read(true)).toEqual({ ...old, password: "new" });
  expect(await read()).toEqual({ ...old, password: "new" });
  expect(asked).toHaveLength(4);
});

test.for([
  [
    "a user in the URL wins over the secret",
    { url: "mqtt://a%40b:p%3Aq@host", credentials },
    ["a@b", "p:q", undefined],
  ],
  ["no credentials", {}, [undefined, undefined, undefined]],
  ["an authority's PEM as it is", { ca: "PEM" }, [undefined, undefined, "PEM"]],
] as const)("%s", async ([, options, [username, password, ca]]) => {
  const { read, asked } = readerOf({}, options);
  expect(await read()).toEqual(JSON.parse(JSON.stringify({ username, password, ca })));
  expect(asked).toEqual([]);
});

test.for(["geheim", "null", '{"username":"geheim"}', '{"username":"a","password":7}'])(
  "refuses %s as credentials without repeating it, and asks again the next time",
  async (text) => {
    const good = '{"username":"a","password":"b"}';
    const { read } = readerOf({ "acme/broker": [text, good] }, { credentials });
    const failure = { code: "BROKER_REFUSED", message: expect.stringMatching(/^(?!.*geheim).*'acme\/broker' is not/) };
    await expect(read()).rejects.toMatchObject(failure);
    expect(await read()).toEqual({ username: "a", password: "b" });
  },
);

test("says which secret cannot be looked up", async () => {
  const { read } = readerOf({}, { credentials });
  const failure = { code: "BROKER_UNREACHABLE", message: "b:8883: secret 'acme/broker' cannot be looked up" };
  await expect(read()).rejects.toMatchObject(failure);
});
