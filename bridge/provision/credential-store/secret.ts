import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { Calls } from "../calls.ts";
import type { CredentialStore } from "../credential-store.ts";
import { readCredentials, writeCredentials } from "../credentials.ts";
import { ProvisionError } from "../provision-error.ts";

/** Keeps credentials in a secret of Secrets Manager, which is made where it is missing. */
export function secretStore(name: string, client: SecretsManagerClient, calls: Calls): CredentialStore {
  const place = `the secret '${name}'`;
  let stored: string | undefined;
  return {
    place,
    async read() {
      const call = { action: "secretsmanager:GetSecretValue", about: name } as const;
      const found = await calls.find(call, () => client.send(new GetSecretValueCommand({ SecretId: name })));
      stored = found?.SecretString;
      return stored === undefined ? undefined : readCredentials(stored, place);
    },
    async write(credentials) {
      const value = writeCredentials(credentials);
      if (value === stored) return;
      if (stored !== undefined || !(await create(value))) await put(value);
      stored = value;
    },
  };

  /** False where the secret is there, and holds nothing yet. */
  async function create(value: string): Promise<boolean> {
    const input = { Name: name, SecretString: value, Description: description };
    const call = { action: "secretsmanager:CreateSecret", about: name } as const;
    try {
      return await calls.change(call, () => client.send(new CreateSecretCommand(input)).then(() => true), true);
    } catch (error) {
      if (error instanceof ProvisionError && (error.cause as Error).name === "ResourceExistsException") return false;
      throw error;
    }
  }

  async function put(value: string): Promise<void> {
    const call = { action: "secretsmanager:PutSecretValue", about: name } as const;
    const input = { SecretId: name, SecretString: value };
    await calls.change(call, () => client.send(new PutSecretValueCommand(input)).then(() => {}), undefined);
  }
}

const description = "Certificate and key of a Trestle bridge to AWS IoT Core";
