import { quote } from "../../scheme/message-error.ts";
import { PushError } from "./push-error.ts";

export function refuseDeviceId(text: string): PushError {
  return new PushError("DEVICE_ID_INVALID", `${quote(text)} is not a device id: 1 to 128 of A–Z a–z 0–9 : _ -`);
}
