import type { RecordCopy } from "../../../core/record-copies.ts";
import type { Needle } from "./erasure-target.ts";

/** The header in which a copy of a quarantined record names it. */
const idHeader = "sluice.id";

/**
 * Whether a copy goes: where it is one of an erased record, or holds the value anywhere in its key, value or headers. A key is compared as a whole.
 */
export function copyMatcher({ bytes, isKey, isIn }: Needle, erased: ReadonlySet<string>): (copy: RecordCopy) => boolean {
  const view = (part: Uint8Array): Buffer => Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  const has = (part: Uint8Array | null): boolean => part !== null && isIn(part);
  return ({ key, value, headers }) => {
    if (headers.some((header) => header.key === idHeader && header.value !== null && erased.has(view(header.value).toString())))
      return true;
    if (isKey) return key !== null && bytes.equals(key);
    return has(key) || has(value) || headers.some((header) => has(header.value) || isIn(Buffer.from(header.key)));
  };
}
