/** What can be wrong with a broker's options, or with the broker itself. */
export type BridgeErrorCode =
  | "BROKER_OPEN" // others can reach the listener, and nothing proves a user name
  | "BROKER_LISTENER_INVALID" // an address, a port or a combination that a listener cannot have
  | "BROKER_PATH_INVALID" // a path that depends on a working directory, or that mosquitto.conf cannot hold
  | "BROKER_USER_INVALID" // a service's user name that a device could have, or that the ACL file cannot hold
  | "BRIDGE_ENDPOINT_INVALID" // not the host, or host:port, of an IoT Core endpoint
  | "BRIDGE_CLIENT_ID_INVALID" // a client id that IoT Core does not take
  | "RELAY_CREDENTIALS" // what the relay connects to IoT Core with is not there, or not all of it
  | "RELAY_CLIENT_ID_TAKEN" // a client id that a further connection of another broker's relay could have
  | "RELAY_NOT_IN_SCHEME" // a relay, whose frames no topic rule of the scheme takes
  | "RELAY_BESIDE_BRIDGE" // both at one broker: each message would go to IoT Core twice
  | "MOSQUITTO_UNSUPPORTED" // a release without the directives that the configuration needs
  | "MOSQUITTO_FAILED"; // the broker ended before it listened

export class BridgeError extends Error {
  override readonly name = "BridgeError";
  readonly code: BridgeErrorCode;

  constructor(code: BridgeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
