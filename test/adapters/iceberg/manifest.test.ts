import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DataFile } from "../../../src/adapters/iceberg/data-file.ts";
import { decodeAvroFile, encodeAvroFile } from "../../../src/adapters/iceberg/avro-file.ts";
import { dataFileRecord, decodeManifest, encodeManifest, EntryStatus } from "../../../src/adapters/iceberg/manifest.ts";
import type { ManifestFile } from "../../../src/adapters/iceberg/manifest-list.ts";
import { decodeManifestList, encodeManifestList } from "../../../src/adapters/iceberg/manifest-list.ts";
import { mergeManifests, planMerge } from "../../../src/adapters/iceberg/manifest-merge.ts";
import { quarantineLastColumnId, quarantineSchema } from "../../../src/adapters/iceberg/quarantine-schema.ts";
import type { TableIo } from "../../../src/adapters/iceberg/table-io.ts";
import { readManifest, writeAddedManifest } from "../../../src/adapters/iceberg/table-io.ts";
import { newTableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";

const sync = new Uint8Array(16);
const file: DataFile = {
  path: "t/data/a.parquet",
  recordCount: 3,
  fileSizeBytes: 1234,
  columnSizes: new Map([[1, 10]]),
  valueCounts: new Map([[1, 3]]),
  nullValueCounts: new Map([[1, 0]]),
  nanValueCounts: new Map(),
  lowerBounds: new Map([[1, Uint8Array.of(1, 0, 0, 0)]]),
  upperBounds: new Map([[1, Uint8Array.of(9, 0, 0, 0)]]),
  splitOffsets: [4],
};

const manifest: ManifestFile = {
  uri: "file:///t/m.avro",
  lengthBytes: 4000,
  specId: 0,
  content: 0,
  sequence: 7n,
  minSequence: 3n,
  addedSnapshotId: 2n ** 62n + 1n,
  addedFiles: 1,
  existingFiles: 0,
  deletedFiles: 0,
  addedRows: 3n,
  existingRows: 0n,
  deletedRows: 0n,
  partitions: [],
  keyMetadata: null,
};

describe("a manifest", () => {
  it("gives back its entries", () => {
    const record = dataFileRecord(file, "file:///t/data/a.parquet");
    const entries = [
      { status: EntryStatus.added, snapshotId: 2n ** 62n + 3n, sequence: null, fileSequence: null, file: record },
      { status: EntryStatus.existing, snapshotId: 5n, sequence: 2n, fileSequence: 2n, file: record },
    ];
    const bytes = encodeManifest(entries, quarantineSchema, sync);
    expect(decodeManifest(bytes)).toEqual(entries);
    expect(decodeAvroFile(bytes).metadata).toMatchObject({
      "format-version": "2",
      content: "data",
      "partition-spec": "[]",
      "schema-id": "0",
    });
  });
});

describe("a manifest list", () => {
  it("gives back its manifests; new ones take the snapshot's sequence number", () => {
    const fresh = { ...manifest, uri: "file:///t/n.avro", sequence: null, minSequence: null };
    const merged = { ...manifest, uri: "file:///t/o.avro", sequence: null };
    const bytes = encodeManifestList([fresh, merged, manifest], { snapshotId: 1n, parentId: null, sequence: 8n }, sync);
    expect(decodeManifestList(bytes)).toEqual([
      { ...fresh, sequence: 8n, minSequence: 8n },
      { ...merged, sequence: 8n, minSequence: 3n },
      manifest,
    ]);
    expect(decodeAvroFile(bytes).metadata).toMatchObject({ "parent-snapshot-id": "null", "sequence-number": "8", "snapshot-id": "1" });
  });

  it("is read by field ids, where another writer names its fields otherwise", () => {
    const { schema, rows } = decodeAvroFile(encodeManifestList([manifest], { snapshotId: 1n, parentId: 2n, sequence: 8n }, sync));
    const older = (name: string): string => name.replace(/^(added|existing|deleted)_files_count$/, "$1_data_files_count");
    const renamed = {
      schema: { ...schema, fields: schema.fields.map((each) => ({ ...each, name: older(each.name) })) },
      metadata: {},
      rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [older(name), value]))),
    };
    expect(decodeManifestList(encodeAvroFile(renamed, sync))).toEqual([manifest]);
  });
});

describe("merging manifests", () => {
  it("plans only full groups of one size, and leaves other writers' alone", () => {
    const small = (count: number, from = 0): ManifestFile[] =>
      Array.from({ length: count }, (_, i) => ({ ...manifest, uri: `file:///t/${from + i}.avro` }));
    expect(planMerge(small(15))).toEqual([]);
    expect(planMerge(small(17)).map((each) => each.uri)).toEqual(
      small(17)
        .slice(1)
        .map((each) => each.uri),
    );
    expect(planMerge([...small(15), { ...manifest, addedFiles: 16 }])).toEqual([]);
    expect(planMerge([...small(15), { ...manifest, content: 1 }, { ...manifest, specId: 1 }, { ...manifest, addedFiles: 0 }])).toEqual([]);
    expect(planMerge(small(16).map((each) => ({ ...each, lengthBytes: 9 << 20 })))).toEqual([]);
  });

  it("keeps few manifests whatever is appended, each file rewritten once a level", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), (commits) => {
        let manifests: ManifestFile[] = [];
        let rewritten = 0;
        for (let i = 0; i < commits; i++) {
          const group = planMerge(manifests);
          if (group.length > 0) {
            const files = group.reduce((sum, each) => sum + each.addedFiles + each.existingFiles, 0);
            rewritten += files;
            const gone = new Set(group);
            manifests = [
              { ...manifest, uri: `m${i}`, addedFiles: 0, existingFiles: files },
              ...manifests.filter((each) => !gone.has(each)),
            ];
          }
          manifests.unshift({ ...manifest, uri: `n${i}` });
        }
        expect(manifests.reduce((sum, each) => sum + each.addedFiles + each.existingFiles, 0)).toBe(commits);
        expect(manifests.length).toBeLessThanOrEqual(16 + 15 * Math.ceil(Math.log(commits + 1) / Math.log(16)));
        expect(rewritten).toBeLessThanOrEqual(commits * Math.ceil(Math.log(commits + 1) / Math.log(16)));
      }),
      { numRuns: 10 },
    );
  });

  describe("on files", () => {
    let folder: string;
    beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "sluice-manifest-"))));
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it("keeps every entry with the snapshot and sequence numbers it had, and uses a merge again", async () => {
      const storage = createLocalStorage(folder);
      let id = 0;
      const io: TableIo = { storage, uuid: () => `u${id++}`, randomBytes: (count) => new Uint8Array(count), probe: () => {} };
      const metadata = newTableMetadata({
        uuid: "t",
        location: `${storage.root}/t`,
        schema: quarantineSchema,
        lastColumnId: quarantineLastColumnId,
        properties: {},
        nowMs: 1,
      });
      const manifests: ManifestFile[] = [];
      for (let i = 0; i < 20; i++) {
        const added = await writeAddedManifest(io, metadata, BigInt(100 + i), [dataFileRecord(file, `file:///t/${i}`)]);
        manifests.unshift({ ...added.manifest, sequence: BigInt(i + 1), minSequence: BigInt(i + 1) });
      }
      const cache = new Map<string, ManifestFile>();
      const merged = await mergeManifests(io, metadata, 999n, manifests, cache);
      expect(merged).toHaveLength(5);
      expect(merged[0]).toMatchObject({
        addedSnapshotId: 999n,
        addedFiles: 0,
        existingFiles: 16,
        existingRows: 48n,
        sequence: null,
        minSequence: 1n,
      });
      const entries = await readManifest(storage, { ...(merged[0] as ManifestFile), sequence: 21n });
      expect(entries.map((entry) => [entry.status, entry.snapshotId, entry.sequence, entry.fileSequence, entry.file.file_path])).toEqual(
        Array.from({ length: 16 }, (_, i) => [
          EntryStatus.existing,
          BigInt(115 - i),
          BigInt(16 - i),
          BigInt(16 - i),
          `file:///t/${15 - i}`,
        ]),
      );
      expect((await mergeManifests(io, metadata, 999n, manifests, cache))[0]).toBe(merged[0]);
      const short = { ...(manifests[0] as ManifestFile), lengthBytes: 1 };
      await expect(readManifest(storage, short)).rejects.toMatchObject({ code: "TABLE_CORRUPT" });
    });
  });
});
