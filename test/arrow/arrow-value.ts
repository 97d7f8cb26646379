import type { Data } from "apache-arrow";
import { Type } from "apache-arrow";
import { uuidText } from "../../src/core/uuid.ts";

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function bitAt(bits: Uint8Array, index: number): boolean {
  return (((bits[index >> 3] as number) >> (index & 7)) & 1) === 1;
}

function spanAt(data: Data, row: number): Uint8Array {
  return (data.values as Uint8Array).slice(data.valueOffsets[row] as number, data.valueOffsets[row + 1] as number);
}

/** The value of one cell of Arrow's data, read from its buffers, in the form of `cellValue`; whatever is no value is null. */
export function arrowValue(data: Data, row: number): unknown {
  if (data.nullCount > 0 && !bitAt(data.nullBitmap, data.offset + row)) return null;
  const { values } = data as { readonly values: ArrayLike<number | bigint> };
  switch (data.typeId) {
    case Type.Bool:
      return bitAt(data.values as Uint8Array, data.offset + row);
    case Type.Float:
      return values[row];
    case Type.Int:
    case Type.Date:
    case Type.Time:
    case Type.Timestamp:
      return BigInt(values[row] as number);
    case Type.Decimal: {
      let value = 0n;
      for (let i = 3; i >= 0; i--) value = (value << 32n) | BigInt(values[row * 4 + i] as number);
      return BigInt.asIntN(128, value);
    }
    case Type.Utf8:
      return text.decode(spanAt(data, row));
    case Type.FixedSizeBinary:
      return uuidText(data.values as Uint8Array, row * 16);
    case Type.Binary:
      return spanAt(data, row);
    case Type.Dictionary:
      return data.dictionary?.get(Number(values[row])) as string;
    case Type.Struct:
      return Object.fromEntries(data.children.map((child, i) => [String(data.type.children[i]?.name), arrowValue(child, row)]));
    case Type.List:
    case Type.Map: {
      const from = data.valueOffsets[row] as number;
      const rows = Array.from({ length: (data.valueOffsets[row + 1] as number) - from }, (_, i) => from + i);
      const child = data.children[0] as Data;
      if (data.typeId === Type.List) return rows.map((each) => arrowValue(child, each));
      const [keys, elements] = child.children as [Data, Data];
      return new Map(rows.map((each) => [arrowValue(keys, each), arrowValue(elements, each)]));
    }
    default:
      throw new Error(`a column of the type ${data.typeId} was not expected`);
  }
}
