/** A message as a rule sees it. What is absent is Undefined to the SQL. */
export interface Message {
  /** What `topic()` returns: behind Basic Ingest's `$aws/rules/<rule>/`, which the caller has cut off. */
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly clientId?: string | undefined;
  readonly timestampMs: number;
  readonly traceId: string;
  readonly principal?: string | undefined;
  readonly accountId?: string | undefined;
  readonly sourceIp?: string | undefined;
  /** MQTT when absent. */
  readonly protocol?: "mqtt" | "http" | undefined;
  readonly mqttProperties?: MqttProperties | undefined;
  /** In the order sent, duplicates included (MQTT 5 §3.3.2.3.7). */
  readonly userProperties?: readonly (readonly [key: string, value: string])[] | undefined;
}

export interface MqttProperties {
  readonly payloadFormatIndicator?: "UTF8_DATA" | "UNSPECIFIED_BYTES" | undefined;
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  /** Base64. */
  readonly correlationData?: string | undefined;
}
