import type { Logger } from "@aws-lambda-powertools/logger";
import { CommandLedger } from "../store/commands.ts";
import { documentClient } from "../store/tables.ts";
import type { OnlineEventSettings } from "./environment.ts";
import { OnlineDevices } from "./online-devices.ts";
import { sqsClient } from "./visibility.ts";

/** Puts together what notices devices that are online, on AWS's services. */
export function createOnlineDevices(
  { commandsTable, queueUrl }: OnlineEventSettings,
  logger: Pick<Logger, "error">,
): OnlineDevices {
  return new OnlineDevices({
    ledger: new CommandLedger(documentClient(), commandsTable),
    announce: (deviceIds) => announce(deviceIds, queueUrl),
    onError: (error) => logger.error("devices that are online not announced yet", { error: String(error) }),
  });
}

/** Sends a message for each device. @throws where one of them is not sent; others may be. */
async function announce(deviceIds: readonly string[], QueueUrl: string): Promise<void> {
  const { SendMessageBatchCommand } = await import("@aws-sdk/client-sqs");
  const sqs = await sqsClient();
  const Entries = deviceIds.map((deviceId, index) => ({
    Id: String(index),
    MessageBody: JSON.stringify({ deviceId }),
  }));
  const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  if (Failed.length === 0) return;
  throw new Error(Failed.map(({ Id, Code, Message }) => `${deviceIds[Number(Id)]}: ${Code} ${Message}`).join("; "));
}
