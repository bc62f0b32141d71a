import { GetSecretValueCommand, ListSecretsCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, onTestFinished, test } from "vitest";
import { type SecretSource, secretsManager } from "./secrets.ts";
import { ServiceEndpoint } from "./service-endpoint.ts";

async function connect(source: SecretSource): Promise<SecretsManagerClient> {
  const service = await ServiceEndpoint.start({ secrets: secretsManager(source) });
  const client = new SecretsManagerClient({
    endpoint: service.url("secrets"),
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await service[Symbol.asyncDispose]();
  });
  return client;
}

const get = (SecretId: string) => new GetSecretValueCommand({ SecretId });

test("the SDK reads a secret by its name", async () => {
  const client = await connect((name) => new Map([["acme/api-key", "s3cret é"]]).get(name));
  expect(await client.send(get("acme/api-key"))).toMatchObject({
    Name: "acme/api-key",
    SecretString: "s3cret é",
    VersionStages: ["AWSCURRENT"],
  });
});

test("a secret is looked up each time, so that a rotated one is seen", async () => {
  let rotation = 0;
  const client = await connect(() => String(++rotation));
  expect((await client.send(get("a"))).SecretString).toBe("1");
  expect((await client.send(get("a"))).SecretString).toBe("2");
});

test("a secret that is not there fails as on AWS", async () => {
  const client = await connect(() => undefined);
  await expect(client.send(get("acme/api-key"))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "Secrets Manager can't find the specified secret.",
  });
});

test("a source that fails is the service's fault", async () => {
  const client = await connect(() => {
    throw new Error("secrets.json is not a JSON object of secrets");
  });
  await expect(client.send(get("a"))).rejects.toMatchObject({
    name: "InternalServiceError",
    message: expect.stringContaining("secrets.json"),
    $metadata: { httpStatusCode: 500 },
  });
});

test("another operation is refused", async () => {
  const client = await connect(() => undefined);
  await expect(client.send(new ListSecretsCommand({}))).rejects.toMatchObject({
    name: "UnknownOperationException",
    message: "ListSecrets is not performed here",
  });
});
