/** A decimal's unscaled value as two's complement, big endian, in as few bytes as hold it. */
export function unscaledBytes(value: bigint): Uint8Array {
  let size = 1;
  while (BigInt.asIntN(8 * size, value) !== value) size++;
  return bigEndian(value, size);
}

/** A whole number from its two's complement, big endian; 0 for no bytes. */
export function signedOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
}

/** A whole number as two's complement, big endian, in so many bytes. */
export function bigEndian(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}
