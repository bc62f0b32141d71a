import { isDeviceId } from "../../scheme/device-id.ts";
import { inParallel } from "../commands/in-parallel.ts";
import { maxPayloadBytes } from "../publish/limits.ts";
import { type Answer, answerJson, problemOf } from "./answer.ts";
import { draftCommand, readWanted } from "./command-draft.ts";
import { refuseDeviceId } from "./device-id-error.ts";
import { commandLimitMs, type Operation } from "./operation.ts";
import { type ProblemCode, problems } from "./problems.ts";
import { PushError } from "./push-error.ts";
import { readBody } from "./read-body.ts";
import { readQuery } from "./read-query.ts";
import { maxTargets, noQuery, sendCommandsBody } from "./request-schemas.ts";
import { derivedId } from "./seed.ts";
import { toPushError } from "./to-push-error.ts";
import { viewOutcome } from "./views.ts";

/** Devices that are sent their command at one time. */
const parallelDevices = 50;

/** Ten thousand ids of any length fit, so that who sends too many is told that, and not that they are too long. */
const maxBytes = 2 * 1024 * 1024;

/** As long as API Gateway waits. */
const limitMs = 30_000;

/** When no more devices are begun with: 29 s that the function has, less what one command takes and its answer. */
const beginMs = 29_000 - commandLimitMs - 1_000;

/** Sends one command to many devices; what becomes of each is an outcome of its own. */
export const sendCommands: Operation = ({ query, receivedAt, ...request }, { commands, now }) => {
  readQuery(query, noQuery);
  const read = readBody(request, { schema: sendCommandsBody, maxBytes, precheck: checkTargets });
  checkSize(request.body.length - (read.raw.get("deviceIds") ?? "").length);
  const wanted = readWanted(read);
  const deviceIds = [...new Set(read.value.deviceIds)];
  return {
    limitMs,
    async run(seed) {
      const outcomes = new Map<string, object>();
      const refused: ProblemCode[] = [];
      await inParallel(deviceIds, parallelDevices, async (deviceId) => {
        try {
          if (!isDeviceId(deviceId)) throw refuseDeviceId(deviceId);
          if (now() > receivedAt + beginMs)
            throw new PushError("OUT_OF_TIME", `${beginMs / 1000} s were over before its turn`);
          const own = { ...seed, id: derivedId(seed, deviceId) };
          const record = await commands.send(draftCommand(wanted, deviceId, own));
          outcomes.set(deviceId, { deviceId, status: 202, command: viewOutcome(record) });
        } catch (thrown) {
          const error = toPushError(thrown);
          refused.push(error.code);
          outcomes.set(deviceId, { deviceId, status: problems[error.code].status, problem: problemOf(error) });
        }
      });
      return answer(
        deviceIds.map((deviceId) => outcomes.get(deviceId)),
        refused,
      );
    },
  };
};

function answer(outcomes: readonly unknown[], refused: readonly ProblemCode[]): Answer {
  return answerJson(
    refused.length === 0 ? 202 : 207,
    { outcomes },
    {
      accepted: outcomes.length - refused.length,
      refused: new Map([...new Set(refused)].map((code) => [code, refused.filter((each) => each === code).length])),
      // What the ledger did not take may be taken when the same is asked again, with the same ids for the others.
      isProvisional: refused.some((code) => problems[code].status >= 500),
    },
  );
}

function checkTargets(raw: ReadonlyMap<string, string>): void {
  const deviceIds: unknown = JSON.parse(raw.get("deviceIds") ?? "null");
  if (!Array.isArray(deviceIds) || deviceIds.length <= maxTargets) return;
  throw new PushError("TOO_MANY_TARGETS", `deviceIds has ${deviceIds.length} entries, the limit is ${maxTargets}`);
}

function checkSize(bytes: number): void {
  if (bytes <= maxPayloadBytes) return;
  const detail = `the body has ${bytes} characters without its deviceIds, the limit is ${maxPayloadBytes}`;
  throw new PushError("PAYLOAD_TOO_LARGE", detail);
}
