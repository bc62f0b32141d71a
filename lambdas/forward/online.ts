import type { Logger } from "@aws-lambda-powertools/logger";
import { CommandLedger } from "../store/commands.ts";
import { documentClient } from "../store/tables.ts";
import type { OnlineEventSettings } from "./environment.ts";
import { OnlineDevices } from "./online-devices.ts";
import { sendBatch } from "./send-batch.ts";

/** Puts together what notices devices that are online, on AWS's services. */
export function createOnlineDevices(
  { commandsTable, queueUrl }: OnlineEventSettings,
  logger: Pick<Logger, "error">,
): OnlineDevices {
  return new OnlineDevices({
    ledger: new CommandLedger(documentClient(), commandsTable),
    announce: (deviceIds) =>
      sendBatch(
        queueUrl,
        deviceIds.map((deviceId) => ({ body: JSON.stringify({ deviceId }) })),
      ),
    onError: (error) => logger.error("devices that are online not announced yet", { error: String(error) }),
  });
}
