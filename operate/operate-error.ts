/** Why a command cannot do what it was asked to. */
export type OperateErrorCode =
  | "ENGINE_NOT_RUNNING" // no engine answers for the data folder
  | "AWS_UNSUPPORTED" // a command that has no counterpart on AWS
  | "NOTHING_KEPT" // no route of the scheme keeps its messages
  | "NOT_FOUND"; // nothing has the id that was given

/** Told in one line, exit code 1. */
export class OperateError extends Error {
  override readonly name = "OperateError";
  readonly code: OperateErrorCode;

  constructor(code: OperateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
