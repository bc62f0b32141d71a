/** What can be wrong with a scheme. */
export type SchemeProblemCode =
  | "CONFIG_TYPE" // a value is not of the kind that its key wants
  | "CONFIG_RANGE" // a number or a length lies outside its limits
  | "CONFIG_MISSING" // a required key is absent
  | "CONFIG_UNKNOWN_KEY" // a key that the scheme does not have
  | "CONFIG_CONFLICT" // a key that another key's value rules out
  | "CONFIG_DUPLICATE_ROUTE" // two topics of the scheme can be the same topic name
  | "QOS_UNSUPPORTED" // a QoS that AWS IoT Core does not have
  | "TOPIC_INVALID" // a topic that MQTT, AWS IoT Core or the broker's ACL would not take as it stands
  | "TOPIC_TOO_DEEP" // more levels than AWS IoT Core routes
  | "TOPIC_TOO_LONG" // more bytes than AWS IoT Core routes
  | "PATH_INVALID" // a request path that HTTP would not take or that names an unknown level
  | "TARGET_INVALID" // an API address with parts that a base address cannot have
  | "TARGET_FORBIDDEN"; // an API address that no deployment may call

/** One fault of a scheme. `at` is the key's way from the top, e.g. `routes.location.qos`. */
export interface SchemeProblem {
  readonly code: SchemeProblemCode;
  readonly at: string;
  readonly message: string;
}

/** A scheme that is refused, with all its faults at once. */
export class SchemeError extends Error {
  override readonly name = "SchemeError";
  readonly problems: readonly SchemeProblem[];

  /** @param file The configuration file as its user knows it, where it is known. */
  constructor(problems: readonly SchemeProblem[], file?: string, options?: ErrorOptions) {
    const prefix = file === undefined ? "" : `${file}: `;
    super(problems.map(({ at, code, message }) => `${prefix}${at}: ${message} (${code})`).join("\n"), options);
    this.problems = problems;
  }
}
