/** Why the engine does not start. */
export type EngineErrorCode =
  | "ERR_TEMPLATE_UNREADABLE" // there is no synthesized template where one was looked for, or more than one stack
  | "ERR_SECTION_UNSUPPORTED" // a part of the template beside its resources that would change what they do
  | "ERR_RESOURCE_UNSUPPORTED" // a resource type that the engine does not perform
  | "ERR_PROPERTY_UNSUPPORTED" // a property, or a value of it, that the engine does not perform
  | "ERR_PROPERTY_INVALID" // a property that AWS would refuse
  | "ERR_INTRINSIC_UNSUPPORTED" // an intrinsic function that the engine does not resolve
  | "ERR_REFERENCE" // a reference to something that the template does not have
  | "ERR_ACTION_UNSUPPORTED" // a rule action that the engine does not perform
  | "ERR_PERMISSION_MISSING" // a rule that AWS would not let invoke its function
  | "ERR_SQL" // a rule whose SQL does not compile
  | "RULE_LOOP" // rules that republish to one another, or to themselves, without end; named as in the cases of bad input
  | "ERR_FUNCTION" // a function whose code cannot be loaded
  | "ERR_DATA_IN_USE" // another engine holds the folder with the queues
  | "ERR_TABLE_CHANGED" // a table in the data folder has another key or other indexes than the template's
  | "ERR_PORT" // the port for the HTTP API is taken, or not this user's
  | "ERR_BROKER"; // the broker refuses the engine

/** A template that the engine refuses to run, or a part that does not start. The message names the logical ID. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
