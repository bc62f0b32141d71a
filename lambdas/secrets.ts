import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

let client: SecretsManagerClient | undefined;

/**
 * The text of a secret in AWS Secrets Manager.
 *
 * The SDK is loaded when the first secret is wanted, and is not even in the bundle of a scheme without any.
 */
export async function fetchSecret(name: string): Promise<string> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  // Twice 1.5 s at the most: the function's time limit reckons with 3 s.
  client ??= new SecretsManagerClient({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 1_500, throwOnRequestTimeout: true },
  });
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name }));
  if (SecretString === undefined) throw new Error(`secret '${name}' has no text, only binary data`);
  return SecretString;
}
