import type { IPublishPacket } from "mqtt";

/** What MQTT 5 carries beside a payload (§3.3.2.3). MQTT 3.1.1 carries none of it: it is left out there. */
export interface MessageProperties {
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
  readonly contentType?: string;
  /** Whether the payload is UTF-8 text. */
  readonly payloadFormatIndicator?: boolean;
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
}

/** A message that has arrived. */
export interface Message extends MessageProperties {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  /** Whether the broker had kept it and gives it because of a subscription, and not because it was sent just now. */
  readonly isRetained: boolean;
}

export function messageOf(topic: string, payload: Buffer, packet: IPublishPacket): Message {
  const message = { topic, payload, qos: packet.qos, isRetained: packet.retain };
  return packet.properties === undefined ? message : { ...message, ...propertiesOf(packet.properties) };
}

/** The values of a name that comes more than once are together behind its first place. */
function propertiesOf(properties: NonNullable<IPublishPacket["properties"]>): MessageProperties {
  const { userProperties, contentType, payloadFormatIndicator, responseTopic, correlationData } = properties;
  return {
    ...(userProperties === undefined ? {} : { userProperties: userPropertiesOf(userProperties) }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
  };
}

/** As `mqtt` has them, in pairs. */
export function userPropertiesOf(
  properties: NonNullable<NonNullable<IPublishPacket["properties"]>["userProperties"]>,
): readonly (readonly [name: string, value: string])[] {
  return Object.entries(properties).flatMap(pairsOf);
}

function pairsOf([name, values]: [string, string | readonly string[]]): (readonly [string, string])[] {
  return [values].flat().map((value) => [name, value] as const);
}
