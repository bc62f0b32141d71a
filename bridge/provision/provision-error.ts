/** What keeps a bridge from being provisioned. */
export type ProvisionErrorCode =
  | "PROVISION_CREDENTIALS" // no AWS credentials, or none that AWS takes
  | "PROVISION_REGION" // no region is named
  | "PROVISION_FORBIDDEN" // the credentials lack a permission
  | "PROVISION_REFUSED" // AWS takes the credentials and refuses the call
  | "PROVISION_UNREACHABLE" // no answer, or a failure of AWS's own: the same run may succeed later
  | "POLICY_TOO_LARGE" // more topics than the policies of one certificate hold
  | "POLICY_NAME_TOO_LONG" // of a client id that AWS IoT takes, but not as a policy's name
  | "CERTIFICATE_UNUSABLE" // it was deactivated, revoked or deleted by somebody else
  | "CREDENTIALS_MISSING" // nothing to rotate
  | "CREDENTIALS_OTHERS" // what is stored there belongs to another bridge or another account
  | "CREDENTIALS_UNREADABLE" // what is stored there is not what this program wrote
  | "CREDENTIALS_UNWRITABLE" // the folder does not take files
  | "ROTATION_UNFINISHED" // the new certificate is not in force yet
  | "ROOTS_MISSING"; // this Node does not carry Amazon's root certificates

/** Told to whoever runs the command; what was done until then stays, and the next run goes on from there. */
export class ProvisionError extends Error {
  override readonly name = "ProvisionError";
  readonly code: ProvisionErrorCode;

  constructor(code: ProvisionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
