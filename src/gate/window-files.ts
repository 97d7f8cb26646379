import type { Batch } from "../core/batch.ts";
import type { EncodedFile } from "../core/encoded-file.ts";
import { batchBytes, gatherBatch, picksOf, type RowPicks } from "../core/gather-batch.ts";
import type { FileLayout } from "../core/table-layout.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { ParquetFile } from "../parquet/written-file.ts";
import { RowLayout, type FileRows } from "./laid-out-rows.ts";

export interface WindowFilesOptions {
  readonly schema: IcebergSchema;
  readonly layout: FileLayout;
  readonly openFile: (schema: IcebergSchema) => ParquetFile;
  /** Columns that wait to be divided: when they are more, files are made of them, and the window goes on with others. */
  readonly waitingBytesMax?: number;
}

const waitingBytesDefault = 64 << 20;
/** Rows that are put together for the encoder at a time. */
const gatheredRowsMax = 4096;

/** Files of the rows of one window that passed. Rows are not needed when `append` has returned. */
export interface WindowFiles {
  append(batch: Batch, rows: Uint32Array): void;
  /** The whole files, in no particular order; none for no rows. `beat` is called as it goes on. */
  finish(beat: () => void): EncodedFile[];
  discard(): void;
}

/** Where the table is neither partitioned nor sorted, one file that is encoded as rows come; else files of waiting rows. */
export function openWindowFiles(options: WindowFilesOptions): WindowFiles {
  const { spec, sortOrder } = options.layout;
  return spec.fields.length === 0 && sortOrder.fields.length === 0 ? new PlainFile(options) : new LaidOutFiles(options);
}

class PlainFile implements WindowFiles {
  readonly #options: WindowFilesOptions;
  readonly #pieces: Uint8Array[] = [];
  #file: ParquetFile | null = null;

  constructor(options: WindowFilesOptions) {
    this.#options = options;
  }

  append(batch: Batch, rows: Uint32Array): void {
    const { schema, openFile } = this.#options;
    this.#file ??= openFile(schema);
    for (const piece of this.#file.append(batch, rows)) this.#pieces.push(piece);
  }

  finish(): EncodedFile[] {
    const open = this.#file;
    if (open === null) return [];
    const { schema, layout } = this.#options;
    const { pieces, file } = open.finish();
    this.#file = null;
    return [{ ...file, pieces: [...this.#pieces, ...pieces], schema, partition: { specId: layout.spec["spec-id"], values: new Map() } }];
  }

  discard(): void {
    this.#file?.discard();
    this.#file = null;
  }
}

/** Rows wait until the window closes, or until they are many; then one file a partition is made after the other, so that one encoder is open at a time. */
class LaidOutFiles implements WindowFiles {
  readonly #options: WindowFilesOptions;
  readonly #layout: RowLayout;
  readonly #files: EncodedFile[] = [];
  #waiting: Batch[] = [];
  #waitingBytes = 0;
  #open: ParquetFile | null = null;

  constructor(options: WindowFilesOptions) {
    this.#options = options;
    this.#layout = new RowLayout(options.schema, options.layout);
  }

  append(batch: Batch, rows: Uint32Array): void {
    const own = gatherBatch([batch], picksOf(rows));
    this.#waiting.push(own);
    this.#waitingBytes += batchBytes(own);
    if (this.#waitingBytes >= (this.#options.waitingBytesMax ?? waitingBytesDefault)) this.#flush(() => {});
  }

  finish(beat: () => void): EncodedFile[] {
    this.#flush(beat);
    return this.#files;
  }

  discard(): void {
    this.#open?.discard();
    this.#open = null;
    this.#waiting = [];
  }

  #flush(beat: () => void): void {
    const batches = this.#waiting;
    if (batches.length === 0) return;
    const places = placesIn(batches);
    for (const file of this.#layout.divide(batches)) {
      this.#files.push(this.#encode(batches, places, file));
      beat();
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #encode(batches: readonly Batch[], places: RowPicks, { rows, partition }: FileRows): EncodedFile {
    const { schema, layout, openFile } = this.#options;
    const open = openFile(schema);
    this.#open = open;
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < rows.length; from += gatheredRowsMax) {
      const part = rows.subarray(from, from + gatheredRowsMax);
      const picks = { source: part.map((row) => places.source[row] as number), row: part.map((row) => places.row[row] as number) };
      const gathered = gatherBatch(batches, picks);
      pieces.push(
        ...open.append(
          gathered,
          Uint32Array.from({ length: gathered.rows }, (_, row) => row),
        ),
      );
    }
    const last = open.finish();
    this.#open = null;
    return { ...last.file, pieces: [...pieces, ...last.pieces], schema, partition, sortOrderId: layout.sortOrder["order-id"] };
  }
}

/** Where each row stands, by its number over all batches. */
function placesIn(batches: readonly Batch[]): RowPicks {
  const count = batches.reduce((sum, batch) => sum + batch.rows, 0);
  const places = { source: new Uint32Array(count), row: new Uint32Array(count) };
  let at = 0;
  batches.forEach((batch, source) => {
    for (let row = 0; row < batch.rows; row++, at++) {
      places.source[at] = source;
      places.row[at] = row;
    }
  });
  return places;
}
