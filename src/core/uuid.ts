/** Bytes of a UUID. */
export const uuidSize = 16;

/** Characters of its canonical text: 8-4-4-4-12 hexadecimal digits (RFC 9562, section 4). */
export const uuidTextSize = 36;

/** What a byte is as a hexadecimal digit; 0x80 where it is none. */
const digitOf = new Uint8Array(256).fill(0x80);
for (const letters of ["0123456789abcdef", "0123456789ABCDEF"])
  for (const [i, letter] of Array.from(letters).entries()) digitOf[letter.charCodeAt(0)] = i;

/** Where the text has a hyphen, and where the first digit of each byte stands. */
const hyphens = [8, 13, 18, 23] as const;
const digits = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;

const hyphen = 0x2d;

/** Writes the 16 bytes of the canonical text `from[start, end)`, of either case, to `to`; false, with bytes of `to` that mean nothing, where it is none. */
export function readUuid(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): boolean {
  if (end - start !== uuidTextSize) return false;
  for (const place of hyphens) if (from[start + place] !== hyphen) return false;
  let faults = 0;
  for (let i = 0; i < uuidSize; i++) {
    const place = start + (digits[i] as number);
    const high = digitOf[from[place] as number] as number;
    const low = digitOf[from[place + 1] as number] as number;
    faults |= high | low;
    to[at + i] = (high << 4) | low;
  }
  return faults < 0x80;
}

/** The 16 bytes of a UUID's canonical text, of either case; null where it is none. */
export function uuidBytes(text: string): Uint8Array | null {
  const bytes = new Uint8Array(uuidSize);
  const from = new TextEncoder().encode(text);
  return readUuid(from, 0, from.length, bytes, 0) ? bytes : null;
}

/** The canonical text, in lower case, of the 16 bytes at `start`. */
export function uuidText(bytes: Uint8Array, start = 0): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + start, uuidSize).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
