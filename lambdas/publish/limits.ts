import type { OutgoingMessage } from "./command-publisher.ts";
import { PublishError } from "./publish-error.ts";

/** IoT Core's limit, which the generated Mosquitto has too. With MQTT 3.1.1 a broker could not say that it dropped more. */
export const maxPayloadBytes = 131_072;

/** @throws {PublishError} `BROKER_REFUSED` for what no broker takes. */
export function checkSize(broker: string, { payload }: OutgoingMessage): void {
  if (payload.byteLength <= maxPayloadBytes) return;
  const message = `a payload has ${maxPayloadBytes} bytes at the most, this one ${payload.byteLength}`;
  throw new PublishError("BROKER_REFUSED", broker, message);
}
