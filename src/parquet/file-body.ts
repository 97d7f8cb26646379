import type { FileMetrics } from "../core/encoded-file.ts";
import type { ColumnWriter } from "./column-writer.ts";
import { FileMetricsTally } from "./file-metrics.ts";
import type { FileSchema } from "./file-schema.ts";
import type { IndexPlaces, StoredChunk, StoredRowGroup } from "./footer.ts";
import { columnIndex, fileEnd, offsetIndex } from "./footer.ts";

const magic = Uint8Array.of(0x50, 0x41, 0x52, 0x31);

/** Pieces of the file are joined up to here. */
const pieceBytes = 1 << 20;

/** The bytes of a Parquet file in the order they are written: row groups, then page indexes, then the footer. */
export class FileBody {
  readonly #metrics = new FileMetricsTally();
  #rowGroups: StoredRowGroup[] = [];
  #indexes: { readonly column: Uint8Array | null; readonly offsets: Uint8Array }[][] = [];
  #pieces: Uint8Array[] = [magic];
  #offset = magic.length;
  #rows = 0;

  get rowGroups(): number {
    return this.#rowGroups.length;
  }

  /** Ends a row group of so many rows: takes each column's chunk. */
  closeRowGroup(columns: readonly ColumnWriter[], rows: number): void {
    const offset = this.#offset;
    const closed = columns.map((column) => {
      const chunk = column.closeChunk();
      const start = this.#offset;
      for (const piece of chunk.pieces) this.#put(piece);
      const uncompressedBytes = chunk.pages.reduce((sum, page) => sum + page.uncompressedBytes, chunk.dictionary?.uncompressedBytes ?? 0);
      return { chunk, offset: start, compressedBytes: this.#offset - start, uncompressedBytes };
    });
    const chunks: StoredChunk[] = closed.map((each) => {
      const bloomFilterOffset = this.#offset;
      if (each.chunk.bloomFilter !== null) this.#put(each.chunk.bloomFilter);
      return { ...each, chunk: { ...each.chunk, pieces: [] }, bloomFilterOffset };
    });
    for (const chunk of chunks) this.#metrics.add(chunk);
    this.#rowGroups.push({ rows, offset, chunks });
    this.#indexes.push(chunks.map((stored) => ({ column: columnIndex(stored.chunk), offsets: offsetIndex(stored) })));
    this.#rows += rows;
  }

  /** Ends the file; its last pieces are taken afterwards. */
  finish(schema: FileSchema): FileMetrics {
    const places = this.#indexes.map((group) =>
      group.map(() => ({ columnIndex: { offset: 0, bytes: 0 }, offsetIndex: { offset: 0, bytes: 0 } })),
    );
    for (const part of ["columnIndex", "offsetIndex"] as const) {
      for (const [g, group] of this.#indexes.entries()) {
        for (const [c, { column, offsets }] of group.entries()) {
          const bytes = part === "columnIndex" ? column : offsets;
          if (bytes === null) continue;
          ((places[g] as IndexPlaces[])[c] as { [key in typeof part]: IndexPlaces["columnIndex"] })[part] = {
            offset: this.#offset,
            bytes: bytes.length,
          };
          this.#put(bytes);
        }
      }
    }
    this.#put(fileEnd({ schema, rowGroups: this.#rowGroups, indexes: places }));
    const splitOffsets = this.#rowGroups.map(({ offset }) => offset);
    return { recordCount: this.#rows, fileSizeBytes: this.#offset, ...this.#metrics.finish(), splitOffsets };
  }

  /** What has been written since this was last asked. */
  takePieces(): Uint8Array[] {
    const pieces = joinSmall(this.#pieces);
    this.#pieces = [];
    return pieces;
  }

  #put(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#offset += bytes.length;
  }
}

/** A write for each page would cost more than their bytes: small neighbours become one piece. */
function joinSmall(pieces: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let waiting: Uint8Array[] = [];
  let size = 0;
  const flush = (): void => {
    if (size === 0) return;
    const piece = new Uint8Array(size);
    let at = 0;
    for (const bytes of waiting) {
      piece.set(bytes, at);
      at += bytes.length;
    }
    joined.push(piece);
    waiting = [];
    size = 0;
  };
  for (const piece of pieces) {
    if (size + piece.length > pieceBytes) flush();
    if (piece.length > pieceBytes) joined.push(piece);
    else {
      waiting.push(piece);
      size += piece.length;
    }
  }
  flush();
  return joined;
}
