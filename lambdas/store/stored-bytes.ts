const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Bytes as an attribute: a string where they are UTF-8, which consoles show as text, and binary where they are not. */
export type StoredBytes = string | Uint8Array;

export interface ToStoredOptions {
  /** The bytes are the begin of more: a character that is cut at their end is left out. */
  readonly isCut?: boolean;
}

export function toStored(bytes: Uint8Array, { isCut = false }: ToStoredOptions = {}): StoredBytes {
  try {
    const text = decoder.decode(bytes, { stream: isCut });
    if (isCut) flush();
    return text;
  } catch {
    return bytes;
  }
}

export function fromStored(stored: StoredBytes): Uint8Array {
  return typeof stored === "string" ? encoder.encode(stored) : stored;
}

/** Makes the decoder forget the character that it waits for the rest of. */
function flush(): void {
  try {
    decoder.decode();
  } catch {
    // That the character is incomplete is what is meant.
  }
}
