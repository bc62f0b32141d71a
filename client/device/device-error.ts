export type DeviceErrorCode =
  | "DEVICE_ID_INVALID" // no id that the scheme takes
  | "TOPIC_INVALID" // a topic with a wildcard, or with a placeholder that nobody filled
  | "MESSAGE_INVALID" // a body that is no JSON, or a payload that is too large for AWS IoT Core
  | "BACKLOG_FULL" // as many messages wait for their acknowledgement as are kept
  | "MESSAGE_REFUSED" // the broker said no: permissions, a quota
  | "MESSAGE_LOST" // closed before the broker acknowledged it, and no store keeps it
  | "DEVICE_CLOSED" // called after the device was closed
  | "CONNECTION_ENDED" // no connection will be made any more: another client has this one's id
  | "COMMANDS_ENDED" // the broker has taken the subscription to the commands back
  | "STORE_FAILED" // the store could not keep, forget or give back something
  | "COMMAND_INVALID" // what arrived is no command
  | "COMMANDS_WAITING" // more commands wait for their turn than are kept; this one was dropped
  | "ANSWER_LOST"; // an answer could not be sent; a duplicate of its command will get it

/** What a device could not do. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly code: DeviceErrorCode;

  constructor(code: DeviceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
