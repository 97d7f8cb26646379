import type { Storage } from "../../../core/storage.ts";
import { parseThetaImage, thetaImage } from "../../../sketches/theta-image.ts";
import type { CompactTheta } from "../../../sketches/theta.ts";
import { estimateTheta, uniteThetas } from "../../../sketches/theta.ts";
import type { BlobMetadata, StatisticsFile } from "../metadata-parts.ts";
import type { PuffinBlob } from "../puffin-file.ts";
import { decodePuffin, encodePuffin } from "../puffin-file.ts";
import { pathOfUri } from "../storage-path.ts";
import type { TableIo } from "../table-io.ts";
import { writeStatistics } from "../table-io.ts";
import type { Snapshot, TableMetadata } from "../table-metadata.ts";
import type { ColumnThetas, CountedColumn } from "./column-thetas.ts";

/** Iceberg's name of the blobs (Puffin specification, "Blob types"). */
export const thetaBlobType = "apache-datasketches-theta-v1";

/** A column's type as its values were hashed: after a widening they hash otherwise. */
const typeProperty = "sluice.type";

/** A column with the distinct values that it has. */
export interface ColumnTheta extends CountedColumn {
  readonly theta: CompactTheta;
}

/** The estimated number of a column's distinct values, rounded; nulls are none. */
export function distinctCount({ theta }: ColumnTheta): number {
  return Math.round(estimateTheta(theta));
}

/** The distinct values of the sketches of files, and of those that were counted before (in the same order; null: none were). */
export function uniteColumns({ columns }: ColumnThetas, before: readonly ColumnTheta[] | null): readonly ColumnTheta[] {
  return columns.map(({ id, name, type, absent, sketch }, i) => {
    const earlier = before?.[i];
    return { id, name, type, absent, theta: earlier === undefined ? sketch.compact() : uniteThetas([earlier.theta, sketch.compact()]) };
  });
}

/** The distinct values of a column as a blob of one snapshot. */
export function thetaBlob(column: ColumnTheta): PuffinBlob {
  const properties = { ndv: String(distinctCount(column)), [typeProperty]: column.type };
  return { type: thetaBlobType, fields: [column.id], bytes: thetaImage(column.theta), properties };
}

/** Whether a statistics file has the distinct values of columns; `own`: as Sluice writes them, to be united with those of other files. */
export function describes(statistics: StatisticsFile, columns: readonly CountedColumn[], own: boolean): boolean {
  const blobs = (statistics["blob-metadata"] ?? []).filter(({ type }) => type === thetaBlobType);
  const isOf = ({ fields, properties }: BlobMetadata, { id, type }: CountedColumn): boolean =>
    fields.length === 1 && fields[0] === id && (!own || properties?.[typeProperty] === type);
  return columns.length > 0 && columns.every((column) => blobs.some((blob) => isOf(blob, column)));
}

/** The blobs of a statistics file. Rejects with NOT_FOUND; throws RangeError or SyntaxError on damage. */
export async function readBlobs(storage: Storage, statistics: StatisticsFile): Promise<ReturnType<typeof decodePuffin>> {
  return decodePuffin(await storage.read(pathOfUri(storage, statistics["statistics-path"])));
}

/** The distinct values of columns by their blobs, where `describes` says that they are there. Throws RangeError on damage. */
export function thetasOf(blobs: readonly PuffinBlob[], columns: readonly CountedColumn[]): readonly ColumnTheta[] {
  return columns.map((column) => {
    const blob = blobs.find(({ type, fields, codec }) => type === thetaBlobType && fields[0] === column.id && codec === undefined);
    if (blob === undefined) throw new RangeError(`a statistics file has no sketch of column ${column.id}`);
    return { ...column, theta: parseThetaImage(blob.bytes) };
  });
}

/** Writes a statistics file of a snapshot; answers how the table's metadata names it. Blobs that the specification does not name are in the file alone: PyIceberg (0.12) refuses a table for them. */
export async function writeThetas(
  io: TableIo,
  metadata: TableMetadata,
  snapshot: Snapshot,
  blobs: readonly PuffinBlob[],
): Promise<StatisticsFile> {
  const { "snapshot-id": snapshotId, "sequence-number": sequence } = snapshot;
  const { bytes, footerBytes } = encodePuffin(blobs, { snapshotId, sequence }, "Sluice");
  const { uri, written } = writeStatistics(io, metadata, snapshotId, bytes);
  await written;
  const known = blobs.filter(({ type }) => type === thetaBlobType);
  return {
    "snapshot-id": snapshotId,
    "statistics-path": uri,
    "file-size-in-bytes": bytes.length,
    "file-footer-size-in-bytes": footerBytes,
    "blob-metadata": known.map(({ type, fields, properties, snapshot: own }) => ({
      type,
      "snapshot-id": own?.snapshotId ?? snapshotId,
      "sequence-number": own?.sequence ?? sequence,
      fields,
      properties,
    })),
  };
}
