/** Bytes of a payload that AWS IoT Core takes, 128 KiB. */
export const maxPayloadBytes = 131_072;

/**
 * Bytes of a payload that a broker with the relay takes. What is too large for IoT Core becomes a dead letter with all its
 * bytes.
 */
export const maxRelayPayloadBytes = 2 * maxPayloadBytes;
