/** Where the vector instructions of a module's code stand: the byte of their number. Numbers of two bytes are given by the first. */
export interface VectorInstruction {
  readonly at: number;
  readonly opcode: number;
}

function leb(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return { value, next: at };
  }
}

const skip = (bytes: Uint8Array, at: number, count: number): number => {
  for (let i = 0; i < count; i++) at = leb(bytes, at).next;
  return at;
};

/** The end of an instruction whose first byte stands at `at`; vector instructions are noted. Only what the emitter writes is known. */
function step(bytes: Uint8Array, at: number, found: VectorInstruction[]): number {
  const opcode = bytes[at] as number;
  if (opcode === 0xfd) {
    const { value, next } = leb(bytes, at + 1);
    found.push({ at: at + 1, opcode: value });
    if (value <= 0x0b) return skip(bytes, next, 2);
    if (value === 0x0c || value === 0x0d) return next + 16;
    return value >= 0x15 && value <= 0x22 ? next + 1 : next;
  }
  if (opcode === 0xfc) {
    const { value, next } = leb(bytes, at + 1);
    return next + (value === 0x0a ? 2 : value === 0x0b ? 1 : 0);
  }
  if (opcode >= 0x28 && opcode <= 0x3e) return skip(bytes, at + 1, 2);
  if (opcode === 0x44) return at + 9;
  if (opcode === 0x1c) return at + 3;
  const immediates = [0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x41, 0x42].includes(opcode) ? 1 : 0;
  return skip(bytes, at + 1, immediates);
}

/** Every vector instruction of a module. */
export function vectorInstructions(bytes: Uint8Array): VectorInstruction[] {
  const found: VectorInstruction[] = [];
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at];
    const { value: size, next } = leb(bytes, at + 1);
    if (id === 10) {
      const functions = leb(bytes, next);
      let body = functions.next;
      for (let i = 0; i < functions.value; i++) {
        const { value: length, next: start } = leb(bytes, body);
        const locals = leb(bytes, start);
        let p = locals.next;
        for (let l = 0; l < locals.value; l++) p = leb(bytes, p).next + 1;
        while (p < start + length) p = step(bytes, p, found);
        body = start + length;
      }
    }
    at = next + size;
  }
  return found;
}
