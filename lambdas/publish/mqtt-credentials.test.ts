import { expect, onTestFinished, test } from "vitest";
import { secret } from "../../scheme/scheme.ts";
import { type Authority, createAuthority, writeLeaf } from "../../test/support/certificates.ts";
import { startMosquitto, type TestBroker } from "../../test/support/mosquitto.ts";
import { passwordOf, writePasswords } from "../../test/support/passwords.ts";
import { MqttPublisher, type MqttPublisherOptions } from "./mqtt-publisher.ts";
import { message } from "./publisher.suite.ts";
import { secretsOf, type TestSecrets } from "./test-secrets.ts";

const inTime = { timeoutMs: 10_000 };
const user = "trestle.push";
const credentials = secret("acme/broker");
const good = JSON.stringify({ username: user, password: passwordOf(user) });
const bad = JSON.stringify({ username: user, password: "wrong" });

test("connects over TLS to a broker whose authority it was given, as PEM or as a secret", async () => {
  const authority = await createAuthority();
  await using broker = await startTlsBroker(authority);
  const secrets = { "acme/broker": [good], "acme/ca": [authority.caPem] };
  for (const ca of [authority.caPem, secret("acme/ca")]) {
    const { publisher } = open(`mqtts://localhost:${broker.port}`, secrets, { credentials, ca });
    await publisher.publish(message("allowed", "over TLS", { isRetained: true }), inTime);
    expect(Buffer.from((await publisher.readRetained("allowed", inTime)) ?? []).toString()).toBe("over TLS");
  }
});

test("does not connect to a broker of another authority, until the secret holds its own", async () => {
  const authority = await createAuthority();
  await using broker = await startTlsBroker(authority);
  const url = `mqtts://localhost:${broker.port}`;
  const foreign = (await createAuthority()).caPem;
  const { publisher } = open(url, { "acme/broker": [good] }, { credentials, ca: foreign });
  const failure = { code: "BROKER_UNREACHABLE", message: expect.stringContaining("certificate") };
  await expect(publisher.publish(message("allowed", "x"), inTime)).rejects.toMatchObject(failure);
  const secrets = { "acme/broker": [good], "acme/ca": [foreign, authority.caPem] };
  const later = open(url, secrets, { credentials, ca: secret("acme/ca") });
  await later.publisher.publish(message("allowed", "x"), inTime);
});

test("looks credentials up again where the broker refuses them, and connects with the new ones", async () => {
  await using broker = await startPasswordBroker();
  const { publisher, asked } = open(broker.url, { "acme/broker": [bad, good] }, { credentials });
  await publisher.publish(message("allowed", "x"), inTime);
  await publisher.publish(message("allowed", "x"), inTime);
  expect(asked).toHaveLength(2);
});

test("credentials that the broker refuses are tried once a call", async () => {
  await using broker = await startPasswordBroker();
  const { publisher } = open(broker.url, { "acme/broker": [bad, bad, good] }, { credentials });
  const failure = { code: "BROKER_REFUSED", isRetryable: false, broker: publisher.name };
  await expect(publisher.publish(message("allowed", "x"), inTime)).rejects.toMatchObject(failure);
  expect(broker.lines.filter((line) => /Sending CONNACK to \S+ \(0, 135\)/.test(line))).toHaveLength(1);
  await publisher.publish(message("allowed", "x"), inTime);
});

test("a user in the URL wins over the secret, which nobody asks for", async () => {
  await using broker = await startPasswordBroker();
  const url = `mqtt://${user}:${passwordOf(user)}@127.0.0.1:${broker.port}`;
  const { publisher, asked } = open(url, {}, { credentials });
  await publisher.publish(message("allowed", "x"), inTime);
  expect(asked).toEqual([]);
});

test("what the ACL does not allow is refused, and the connection goes on", async () => {
  await using broker = await startPasswordBroker();
  const { publisher } = open(broker.url, { "acme/broker": [good] }, { credentials });
  const [refused] = await Promise.allSettled([
    publisher.publish(message("forbidden", "x"), inTime),
    publisher.publish(message("allowed", "x"), inTime),
  ]);
  expect(refused).toMatchObject({ status: "rejected", reason: { code: "BROKER_REFUSED", isRetryable: false } });
  expect(broker.lines.filter((line) => /New client connected/.test(line))).toHaveLength(1);
});

function startPasswordBroker(): Promise<TestBroker> {
  return startBroker(async () => []);
}

function startTlsBroker(authority: Authority): Promise<TestBroker> {
  return startBroker(async (folder) => {
    const files = await writeLeaf(folder, "server", await authority.issue({ commonName: "localhost" }));
    return [`certfile ${files.certfile}`, `keyfile ${files.keyfile}`];
  });
}

/** With a password for the one user, who may use the topic `allowed`. */
function startBroker(listenerLines: (folder: string) => Promise<readonly string[]>): Promise<TestBroker> {
  return startMosquitto(async ({ folder, port, user: systemUser }) => {
    const config = [
      `user ${systemUser}`,
      "allow_anonymous false",
      `password_file ${await writePasswords(folder, [user])}`,
      `acl_file ${folder}/acl`,
      "log_dest stderr",
      "log_type all",
      `listener ${port} 127.0.0.1`,
      ...(await listenerLines(folder)),
    ];
    return new Map([
      ["mosquitto.conf", config.join("\n")],
      ["acl", `user ${user}\ntopic readwrite allowed\n`],
    ]);
  });
}

function open(url: string, secrets: TestSecrets, rest: Partial<MqttPublisherOptions>) {
  const { asked, fetchSecret } = secretsOf(secrets);
  const publisher = new MqttPublisher({ name: new URL(url).host, url, fetchSecret, ...rest });
  onTestFinished(() => publisher[Symbol.asyncDispose]());
  return { publisher, asked };
}
