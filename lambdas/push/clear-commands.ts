import { answerJson } from "./answer.ts";
import { commandLimitMs, type Operation } from "./operation.ts";
import { readQuery } from "./read-query.ts";
import { noQuery } from "./request-schemas.ts";
import { viewDevice } from "./views.ts";

/** Takes back how a device is to be. */
export const clearCommands: Operation = ({ query, deviceId }, { commands }) => {
  readQuery(query, noQuery);
  return {
    limitMs: commandLimitMs,
    async run({ id }) {
      return answerJson(202, viewDevice(await commands.clear(deviceId, id)));
    },
  };
};
