import { quote } from "../../scheme/message-error.ts";
import { answerJson } from "./answer.ts";
import type { Operation } from "./operation.ts";
import { PushError } from "./push-error.ts";
import { readQuery } from "./read-query.ts";
import { isCommandId, listCommandsQuery, noQuery } from "./request-schemas.ts";
import { viewCommand, viewDevice } from "./views.ts";

/** Gives one command. */
export const getCommand: Operation = ({ query, commandId }, { commands }) => {
  readQuery(query, noQuery);
  return {
    async run() {
      const record = isCommandId(commandId) ? await commands.get(commandId) : undefined;
      if (record === undefined) throw new PushError("NOT_FOUND", `there is no command ${quote(commandId)}`);
      return answerJson(200, viewCommand(record), { commandId });
    },
  };
};

/** Gives a device's commands, newest first. */
export const listCommands: Operation = ({ query, deviceId }, { commands }) => {
  const { limit, before } = readQuery(query, listCommandsQuery);
  return {
    async run() {
      const records = await commands.list(deviceId, { limit, ...(before === undefined ? {} : { before }) });
      const next = records.length === limit ? records.at(-1)?.id : undefined;
      return answerJson(200, { commands: records.map(viewCommand), next });
    },
  };
};

/** Gives how a device is to be. */
export const getDevice: Operation = ({ query, deviceId }, { commands }) => {
  readQuery(query, noQuery);
  return {
    async run() {
      return answerJson(200, viewDevice(await commands.device(deviceId)));
    },
  };
};
