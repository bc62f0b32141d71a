import { jsonService } from "./json-service.ts";
import { type Service, ServiceError } from "./service-endpoint.ts";

/** Where a secret's value comes from on this machine; undefined where there is none of that name. */
export type SecretSource = (name: string) => string | undefined;

/**
 * Secrets Manager's `GetSecretValue`, so that functions read their secrets by the same code as on AWS.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function secretsManager(source: SecretSource): Service {
  return jsonService({
    target: "secretsmanager",
    contentType: "application/x-amz-json-1.1",
    operations: {
      GetSecretValue: ({ SecretId }) => {
        const name = String(SecretId);
        const value = source(name);
        if (value === undefined) {
          throw new ServiceError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
        }
        return { Name: name, SecretString: value, VersionStages: ["AWSCURRENT"] };
      },
    },
  });
}
