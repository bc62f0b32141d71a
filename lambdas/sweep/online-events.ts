import type { SQSRecord } from "aws-lambda";
import { isDeviceId } from "../../scheme/device-id.ts";

/** What says that a device is there, as a message of the online queue. */
export interface OnlineEvent {
  readonly deviceId: string;
}

/** @throws {Error} for what is no such event, which the queue's other readers could not use either. */
export function readOnlineEvent({ body }: Pick<SQSRecord, "body">): OnlineEvent {
  const event: unknown = JSON.parse(body);
  const deviceId = typeof event === "object" && event !== null && "deviceId" in event ? event.deviceId : undefined;
  if (typeof deviceId === "string" && isDeviceId(deviceId)) return { deviceId };
  throw new Error(`no online event: ${body.slice(0, 200)}`);
}
