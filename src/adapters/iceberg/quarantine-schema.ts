import type { QuarantineState } from "../../core/ports.ts";
import type { Records } from "../../core/records.ts";
import type { Reason } from "../../core/rule.ts";
import type { IcebergField, IcebergSchema, IcebergType } from "../../core/table-schema.ts";

function field(id: number, name: string, type: IcebergType, required: boolean, doc: string): IcebergField {
  return { id, name, required, type, doc };
}

const header: IcebergType = {
  type: "struct",
  fields: [
    field(22, "key", "string", true, "The header's key as text."),
    field(23, "value", "binary", false, "The header's value as it came; null apart from empty."),
  ],
};

const reason: IcebergType = {
  type: "struct",
  fields: [
    field(25, "rule", "string", true, "Id of the rule in its contract."),
    field(26, "family", "string", true, "What kind of rule it is."),
    field(27, "column", "string", false, "The column judged; null for rules on the whole record."),
    field(28, "severity", "string", true, "error or warning."),
    field(29, "message", "string", true, "In plain words."),
    field(30, "observed", "string", false, "The observed value as text, cut and masked as the contract says."),
    field(31, "limit", "string", false, "What it had to be."),
  ],
};

const list = (id: number, element: IcebergType): IcebergType => ({ type: "list", "element-id": id, element, "element-required": true });

/**
 * The quarantine table of every dataset: one row is one version of a quarantined record, byte for byte as it came. What a record is now says its
 * latest version: by attempt, then by the sequence number of the snapshot that wrote it.
 */
export const quarantineSchema: IcebergSchema = {
  type: "struct",
  "schema-id": 0,
  fields: [
    field(1, "topic", "string", true, "Name of the topic or file source."),
    field(2, "topic_id", "string", true, "Id of the topic, or content hash of the file."),
    field(3, "partition", "int", true, "Partition of the topic."),
    field(4, "offset", "long", true, "Offset in the partition."),
    field(5, "timestamp_ms", "long", true, "The record's timestamp in milliseconds since the epoch; -1 where it has none."),
    field(6, "timestamp_type", "int", true, "0 set by the producer, 1 by the broker, 2 none."),
    field(7, "key", "binary", false, "The key as it came; null apart from empty."),
    field(8, "value", "binary", false, "The value as it came; null apart from empty."),
    field(9, "headers", list(21, header), true, "In order, duplicates kept."),
    field(
      10,
      "headers_raw",
      "binary",
      false,
      "The headers in Kafka's record encoding, byte for byte (keys need not be UTF-8); null for none.",
    ),
    field(11, "reasons", list(24, reason), true, "Every reason, not the first."),
    field(12, "contract_hash", "string", true, "The contract it was judged by."),
    field(13, "decision_hash", "string", true, "The decision it is part of."),
    field(14, "window_id", "string", true, "The window it was first quarantined from."),
    field(15, "attempt", "int", true, "0, and one more at each replay."),
    field(16, "state", "string", true, "open, promoted, parked or discarded."),
    field(17, "quarantined_at", "timestamptz", true, "When the window that quarantined it closed."),
  ],
};

/** The highest field id of `quarantineSchema`. */
export const quarantineLastColumnId = 31;

/** Fields whose bounds tell files of first versions from files of later ones. */
export const quarantineFieldIds = { offset: 4, windowId: 14, attempt: 15, state: 16, quarantinedAt: 17 } as const;

/** One version of a quarantined record on its way into a file: `records` row by row, with what the lake knows of it. */
export interface QuarantineRow {
  readonly records: Records;
  readonly row: number;
  readonly reasons: readonly Reason[];
  readonly contractHash: string;
  readonly decisionHash: string;
  readonly windowId: string;
  readonly attempt: number;
  readonly state: QuarantineState;
  readonly quarantinedAtMs: number;
}
