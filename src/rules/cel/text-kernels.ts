import type { CelNode } from "../../cel/cel-expression.ts";
import type { Batch } from "../../core/batch.ts";
import { constantOf, namedColumn, Operand, statesOf, type Kernel, type KernelContext, type Texts } from "./operands.ts";

/** Text of a string column or a constant; null where a part is neither. */
export function compileText(context: KernelContext, node: CelNode | undefined): Kernel<Texts> | null {
  const constant = constantOf(node);
  if (typeof constant === "string") {
    const bytes = new TextEncoder().encode(constant);
    return (batch: Batch) => ({
      bytes,
      starts: new Uint32Array(batch.rows),
      lengths: new Uint32Array(batch.rows).fill(bytes.length),
      states: new Uint8Array(batch.rows),
    });
  }
  const named = namedColumn(context, node);
  if (named === null || named.field.type.kind !== "string") return null;
  return (batch: Batch) => {
    const { column, states } = statesOf(batch, named);
    if (column.kind !== "bytes")
      return {
        bytes: new Uint8Array(0),
        starts: new Uint32Array(batch.rows),
        lengths: new Uint32Array(batch.rows),
        states: states.fill(Operand.unsure),
      };
    const { bytes, starts, lengths } = column;
    return { bytes, starts, lengths, states };
  };
}

/** Whether the needle stands at `at`. */
function bytesStandAt(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  for (let i = 0; i < needle.length; i++) if (bytes[at + i] !== needle[i]) return false;
  return true;
}

/** A test of one span. */
export type SpanTest = (bytes: Uint8Array, start: number, end: number) => boolean;

/** The test that a string function with a constant argument stands for; null for other functions. Bytes of UTF-8 match where the texts do. */
export function spanTest(name: string, argument: string): SpanTest | null {
  const needle = new TextEncoder().encode(argument);
  const size = needle.length;
  switch (name) {
    case "startsWith":
      return (bytes, start, end) => end - start >= size && bytesStandAt(bytes, start, needle);
    case "endsWith":
      return (bytes, start, end) => end - start >= size && bytesStandAt(bytes, end - size, needle);
    case "contains":
      return (bytes, start, end) => {
        const last = end - size;
        const first = needle[0];
        if (first === undefined) return true;
        for (let at = start; at <= last; at++) if (bytes[at] === first && bytesStandAt(bytes, at, needle)) return true;
        return false;
      };
    default:
      return null;
  }
}
