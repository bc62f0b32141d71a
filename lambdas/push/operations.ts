import type { PushOperationId } from "../../scheme/command/push-operations.ts";
import { clearCommands } from "./clear-commands.ts";
import { getOpenApi } from "./get-open-api.ts";
import type { FeedParts, Operation } from "./operation.ts";
import { publishToFeed } from "./publish-to-feed.ts";
import { getCommand, getDevice, listCommands } from "./read-commands.ts";
import { sendCommand } from "./send-command.ts";
import { sendCommands } from "./send-commands.ts";

/** Operations that a scheme without commands has too. */
export const feedOperations: Readonly<Partial<Record<PushOperationId, Operation<FeedParts>>>> = {
  publish: publishToFeed,
  getOpenApi,
};

/** What each operation does, where the scheme has commands. */
export const operations: Readonly<Record<PushOperationId, Operation>> = {
  sendCommand,
  sendCommands,
  getCommand,
  listCommands,
  getDevice,
  clearCommands,
  publish: publishToFeed,
  getOpenApi,
};
