import type { Call } from "./calls.ts";
import { ProvisionError, type ProvisionErrorCode } from "./provision-error.ts";

/** What the SDK throws, as far as it is of use here; its classes are many, and differ from service to service. */
interface SdkError extends Error {
  /** Who is at fault, in an answer of the service. */
  readonly $fault?: "client" | "server";
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const wanted = "Give credentials as AWS's own tools take them: AWS_PROFILE, AWS_ACCESS_KEY_ID, or `aws sso login`";

const hints: Readonly<Record<string, readonly [code: ProvisionErrorCode, hint: string]>> = {
  CredentialsProviderError: ["PROVISION_CREDENTIALS", wanted],
  TokenProviderError: ["PROVISION_CREDENTIALS", wanted],
  UnrecognizedClientException: ["PROVISION_CREDENTIALS", wanted],
  InvalidClientTokenId: ["PROVISION_CREDENTIALS", wanted],
  InvalidSignatureException: ["PROVISION_CREDENTIALS", `${wanted}, and look at this machine's clock`],
  ExpiredTokenException: ["PROVISION_CREDENTIALS", `They have expired. ${wanted}`],
  ExpiredToken: ["PROVISION_CREDENTIALS", `They have expired. ${wanted}`],
  AccessDeniedException: ["PROVISION_FORBIDDEN", ""],
  UnauthorizedException: ["PROVISION_FORBIDDEN", ""],
  ForbiddenException: ["PROVISION_FORBIDDEN", ""],
};

/** The error with the call that failed, and what to do. */
export function callError({ action, about }: Call, error: unknown): ProvisionError {
  if (error instanceof ProvisionError) return error;
  const { name, message, $fault, $metadata }: SdkError = error instanceof Error ? error : new Error(String(error));
  const options = { cause: error };
  if (/^Region is missing/.test(message)) {
    return new ProvisionError("PROVISION_REGION", "no AWS region is named: give --region, or AWS_REGION", options);
  }
  const said = `${action} ${about}: ${[name, message].filter((text) => text !== "").join(": ")}`;
  const [code, hint] = hints[name] ?? [];
  if (code === "PROVISION_FORBIDDEN") {
    return new ProvisionError(code, `${said}. The credentials need the permission ${action}`, options);
  }
  if (code !== undefined) return new ProvisionError(code, `${said}. ${hint}`, options);
  const status = $metadata?.httpStatusCode ?? 0;
  if ($fault === "client" && status >= 400 && status < 500 && !isPassing(name, status)) {
    return new ProvisionError("PROVISION_REFUSED", said, options);
  }
  return new ProvisionError("PROVISION_UNREACHABLE", `${said}. Run the command again: it goes on from here`, options);
}

/** Whether a service answered that there is no such thing. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && error.name === "ResourceNotFoundException";
}

function isPassing(name: string, status: number): boolean {
  return status === 408 || status === 429 || /^(Throttling|TooManyRequests|RequestTimeout)/.test(name);
}
