/** What can be wrong with a broker's configuration. */
export type CheckCode =
  | "CONF_UNREADABLE" // a file or a folder that the configuration names cannot be read
  | "CONF_UNKNOWN" // a directive that the release does not know: Mosquitto ends over it
  | "CONF_INVALID" // a value or a place that Mosquitto does not take
  | "BROKER_OPEN" // others than the broker's own can connect, or reach what is not theirs
  | "BROKER_NOT_DURABLE" // acknowledged messages are lost
  | "BROKER_UNLIMITED" // a size or a time without a limit, or beyond IoT Core's
  | "BROKER_SLOW" // costs an order of magnitude
  | "BRIDGE_INCOMPATIBLE" // IoT Core refuses it, or ends the connection
  | "BRIDGE_INSECURE" // the bridge does not know whom it speaks to
  | "BRIDGE_LOOP" // messages come back, or arrive more than once
  | "BRIDGE_NOT_DURABLE" // messages are lost while the bridge is away
  | "BRIDGE_STALLS" // nothing is sent any more, without a word
  | "BRIDGE_UNSTABLE" // a name or a pace that fails some day
  | "KEY_PERMISSIONS" // others can read a secret
  | "CERT_EXPIRED" // or will in less than 30 days
  | "CERT_UNREADABLE"; // not a certificate in PEM

/** With a refused configuration no broker is to be started; a warning is for somebody to judge. */
export type Severity = "refused" | "warning";

export interface Finding {
  readonly code: CheckCode;
  readonly severity: Severity;
  readonly file: string;
  /** From 1: the directive's line, or where it is missing, that of what it belongs to. */
  readonly line: number;
  readonly directive: string;
  /** As it stands there; absent where the directive is missing. */
  readonly text?: string;
  readonly reason: string;
  /** What the reason is known from. */
  readonly source: string;
}
