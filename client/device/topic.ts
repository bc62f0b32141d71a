import { isDeviceId } from "../../scheme/device-id.ts";
import { quote } from "../../scheme/message-error.ts";
import { checkTopicName } from "../../scheme/topic-name.ts";
import { DeviceError } from "./device-error.ts";

/** @throws {DeviceError} `DEVICE_ID_INVALID` */
export function checkDeviceId(deviceId: string): void {
  if (isDeviceId(deviceId)) return;
  const expected = "1 to 128 characters of A–Z a–z 0–9 : _ -";
  throw new DeviceError("DEVICE_ID_INVALID", `the device id ${quote(deviceId)} is not ${expected}`);
}

/**
 * The topic name with the device's id in the place of `{deviceId}`: so a topic may be written as the scheme has it.
 *
 * @throws {DeviceError} `TOPIC_INVALID`
 * @throws {MessageError} `TOPIC_TOO_LONG`, `TOPIC_TOO_DEEP`
 */
export function deviceTopic(topic: string, deviceId: string): string {
  const name = topic.replaceAll("{deviceId}", deviceId);
  const problem = topicProblem(name);
  if (problem !== undefined) throw new DeviceError("TOPIC_INVALID", `the topic ${quote(topic)} ${problem}`);
  checkTopicName(name);
  return name;
}

/** Why nobody can publish there, undefined where one can. */
export function topicProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  if (/[+#]/.test(name)) return "has a wildcard";
  if (name.includes("\0")) return "has a NUL character";
  if (name.startsWith("$")) return "begins with $, which brokers keep for themselves";
  const placeholder = /\{\w*\}/.exec(name)?.[0];
  return placeholder === undefined ? undefined : `has ${placeholder}, and only {deviceId} is filled in here`;
}
