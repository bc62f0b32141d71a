import type { Scheme } from "../scheme/scheme.ts";
import { BridgeError } from "./bridge-error.ts";

/** Of the characters that IoT Core takes, those that stand in mosquitto.conf as they are. */
const clientIdPattern = /^[A-Za-z0-9][A-Za-z0-9:._-]*$/;
const maxCharacters = 128;

/**
 * The client id that one broker's bridge or relay has in IoT Core: the given one, or `<name>-<stage>-edge`.
 *
 * A relay's further connections are `<client id>:2`, `:3` and so on; where the scheme has one, no id may look like theirs,
 * and each leaves room for `:999`.
 *
 * @throws {BridgeError} `BRIDGE_CLIENT_ID_INVALID`, `RELAY_CLIENT_ID_TAKEN`
 */
export function uplinkClientId({ name, stage, framesRuleName }: Scheme, given: string | undefined): string {
  const clientId = given ?? `${name}-${stage}-edge`;
  const hasRelay = framesRuleName !== undefined;
  const longest = maxCharacters - (hasRelay ? ":999".length : 0);
  if (!clientIdPattern.test(clientId) || clientId.length > longest) {
    const message = `${JSON.stringify(clientId)} is not 1 to ${longest} of A–Z a–z 0–9 : . _ -`;
    throw new BridgeError("BRIDGE_CLIENT_ID_INVALID", message);
  }
  const [, owner] = /^(.*):\d+$/.exec(clientId) ?? [];
  if (hasRelay && owner !== undefined) {
    const message = `'${clientId}' could be a further connection of the relay '${owner}', and would end it; leave out the number`;
    throw new BridgeError("RELAY_CLIENT_ID_TAKEN", message);
  }
  return clientId;
}
