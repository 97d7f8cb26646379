import { decoding, envelope, recordKey } from "./decoding-shape.ts";
import { incidentsKey } from "./incidents-shape.ts";
import { drift } from "./drift-shape.ts";
import { retentionKey } from "./retention-shape.ts";
import { countText, key, name, needed, positive } from "./rule-keys.ts";
import { settingDefaults } from "./setting-defaults.ts";
import { oneOf } from "./shape.ts";
import type { ObjectShape, Shape } from "./shape.ts";
import { tableKeys } from "./table-shape.ts";

/** A size: whole bytes, or text such as `32 MiB`. */
const byteSize: Shape = {
  type: "either",
  of: [
    positive,
    { type: "string", pattern: { regex: /^[1-9][0-9]{0,11} ?(B|KiB|MiB|GiB)$/u, words: `a size such as "32 MiB" (B, KiB, MiB, GiB)` } },
  ],
};

const mebibytes = (bytes: number): string => `${bytes / 1024 / 1024} MiB`;

/** Sluice's settings of one dataset: the value of the custom property `sluice` of a schema object. */
export const datasetSettings: ObjectShape = {
  type: "object",
  keys: {
    window: key(
      {
        type: "object",
        keys: {
          rows: key(positive, "Rows that close a window.", countText(settingDefaults.window.rows)),
          bytes: key(byteSize, "Bytes that close a window.", mebibytes(settingDefaults.window.bytes)),
          seconds: key({ type: "number", above: 0 }, "Seconds that close a window.", countText(settingDefaults.window.seconds)),
        },
      },
      "When a window closes: whichever comes first. Windows are the unit of commit and of tolerances.",
    ),
    decoding: key(decoding, "How the bytes of a record become columns.", "one JSON object a record"),
    envelope: key(envelope, "What stands around the row inside a record.", "none"),
    tombstones: key(oneOf(["quarantine", "skip"]), "Records with a null value.", "quarantine"),
    undecodable: key(oneOf(["quarantine"]), "Records that are no rows; there is no other choice.", "quarantine"),
    oversized: key(
      {
        type: "object",
        keys: {
          bytes: key(byteSize, "Values above this are never decoded.", mebibytes(settingDefaults.oversizedBytes)),
          action: key(oneOf(["quarantine"]), "There is no other choice.", "quarantine"),
        },
      },
      "Records too large to decode.",
    ),
    late: key(
      {
        type: "object",
        keys: {
          column: needed(name, "The column with the event time: a date or timestamp."),
          seconds: needed({ type: "number", min: 0 }, "Older than this at the window's close is late."),
          action: key(oneOf(["promote", "quarantine", "skip"]), "What happens to late records.", "quarantine"),
        },
      },
      "Records whose event time is long past.",
      "not judged",
    ),
    unknownFields: key(
      oneOf(["ignore", "keep", "reject"]),
      "Fields that the contract does not name: ignored, kept in a JSON column, or the record is rejected.",
      "ignore",
    ),
    key: key(recordKey, "The record's key.", "ignore"),
    drift: key(drift, "Drift checks.", "none"),
    incidents: incidentsKey,
    ...tableKeys,
    retention: retentionKey,
    onBreach: key(oneOf(["hold", "stop"]), "What a failed threshold or an exceeded tolerance does.", "hold"),
    unsupported: key(
      oneOf(["list", "refuse"]),
      "What the standard allows and Sluice can't enforce (a lookahead in a pattern, an odd time format): list it with a warning and go on, or refuse the contract.",
      "list",
    ),
  },
};
