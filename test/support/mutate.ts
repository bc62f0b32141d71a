const changes: readonly ((bytes: Buffer, at: number, value: number) => Buffer)[] = [
  function flip(bytes, at, value) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(bytes.readUInt8(at) ^ (1 << (value % 8)), at);
    return flipped;
  },
  function insert(bytes, at, value) {
    return Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at)]);
  },
  function remove(bytes, at) {
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
  },
];

/** Changes one to four places of some bytes: a bit flipped, a byte inserted or deleted. */
export function mutate(bytes: Buffer, random: () => number): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  let mutated = bytes;
  for (let rest = 1 + below(4); rest > 0 && mutated.length > 0; rest--) {
    mutated = changes[below(changes.length)]?.(mutated, below(mutated.length), below(256)) ?? mutated;
  }
  return mutated;
}
