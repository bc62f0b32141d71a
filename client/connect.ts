import { Client } from "./client.ts";
import type { ClientOptions } from "./client-options.ts";

/**
 * Connects to a broker: `mqtt://host:1883`, `mqtts://host:8883`, `ws://…` or `wss://…`. A user and a password may stand
 * in the URL; those of the options go first.
 *
 * @throws {ClientError} `CLIENT_INVALID`, `CLIENT_UNREACHABLE`, `CLIENT_REFUSED`, `CLIENT_TIMEOUT`
 */
export function connect(url: string, options: ClientOptions = {}): Promise<Client> {
  return Client.connect(url, options);
}
