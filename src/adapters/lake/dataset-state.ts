import type { DatasetState } from "../../core/ports.ts";
import { fileLayoutOf } from "../iceberg/table-layout.ts";
import { currentSchema } from "../iceberg/table-metadata.ts";
import type { DatasetTables } from "./lake-context.ts";
import { readBlocks, readContracts, readDriftRebase, readHoldNext, readPositions, readSkipped } from "./table-properties.ts";

/** A dataset's state as its promoted table tells it. */
export function stateOf(tables: DatasetTables): DatasetState {
  const { metadata } = tables.promoted;
  return {
    positions: readPositions(metadata.properties),
    blocks: readBlocks(metadata.properties),
    skipped: readSkipped(metadata.properties),
    activeContract: readContracts(metadata.properties).at(-1)?.hash ?? null,
    holdNext: readHoldNext(metadata.properties),
    driftRebase: readDriftRebase(metadata.properties),
    tableUuid: metadata["table-uuid"],
    schema: currentSchema(metadata),
    layout: fileLayoutOf(metadata),
    mainSnapshotId: metadata.refs.main?.["snapshot-id"].toString() ?? null,
  };
}
