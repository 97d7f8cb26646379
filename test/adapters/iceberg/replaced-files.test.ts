import { randomBytes, randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import type { AvroRow } from "../../../src/adapters/iceberg/avro-schema.ts";
import { TableDraft } from "../../../src/adapters/iceberg/table-draft.ts";
import type { TableIo } from "../../../src/adapters/iceberg/table-io.ts";
import { readManifest, readManifestList, writeAddedManifest } from "../../../src/adapters/iceberg/table-io.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { commitNext, row, scratchFolder, startedWith } from "../lake/lake-fixture.ts";
import { odcs } from "../lake/odcs-fixture.ts";
import { loadBoth } from "../lake/table-content.ts";

it("takes every delete file that is to go, also beside a Puffin file with the vectors of several data files", async () => {
  using scratch = scratchFolder();
  const contract = await odcs(1, ["{ name: n, logicalType: integer }", "{ name: s, logicalType: string }"], "{ formatVersion: 3 }");
  const lake = await startedWith(scratch.folder, contract);
  await commitNext(lake, contract, [row(1), row(2)]);
  await lake.close();
  const { promoted: metadata } = await loadBoth(scratch.folder, "orders");
  const storage = createLocalStorage(scratch.folder);
  const io: TableIo = { storage, uuid: randomUUID, randomBytes: (count) => randomBytes(count), probe: () => {} };
  const draft = new TableDraft(io, metadata);
  const newId = (): bigint => randomBytes(8).readBigUInt64BE() >> 1n;
  const file = (name: string, changes: Partial<AvroRow>): AvroRow => {
    const own = { file_path: `${metadata.location}/data/${name}`, file_format: "PARQUET", spec_id: 0, partition: {}, record_count: 1n };
    return { ...own, file_size_in_bytes: 10n, ...changes };
  };
  const vector = (of: string, offset: bigint): AvroRow =>
    file("v.puffin", {
      content: 1,
      file_format: "PUFFIN",
      referenced_data_file: `${metadata.location}/data/${of}`,
      content_offset: offset,
      content_size_in_bytes: 4n,
    });
  const equality = file("e.parquet", { content: 2, equality_ids: [1] });
  let parent = draft.main;
  // The newest manifests come first: those of the vectors, one of which is apart.
  for (const files of [[equality], [vector("a", 4n)], [vector("b", 8n), vector("c", 12n)]]) {
    const snapshotId = newId();
    const manifests = [await writeAddedManifest(io, metadata, snapshotId, files)];
    const summary = { operation: "delete" };
    parent = await draft.append({ snapshotId, parent, branch: "main", manifests, merges: null, nowMs: Date.now(), summary });
  }
  const removedDeletes = new Set([equality, vector("a", 4n)].map((each) => each["file_path"] as string));
  const replaced = await draft.replace({
    snapshotId: newId(),
    parent,
    branch: "main",
    files: { removed: new Set(), added: [], removedDeletes },
    nowMs: Date.now(),
    summary: { operation: "overwrite" },
  });
  await draft.written();
  const manifests = (await readManifestList(storage, replaced)).filter(({ content }) => content === 1);
  const entries = (await Promise.all(manifests.map((each) => readManifest(storage, each)))).flat();
  expect(entries.filter(({ status }) => status !== 2).map(({ file: { file_path } }) => file_path)).toEqual([]);
  expect(replaced?.summary).toMatchObject({ "total-delete-files": "0", "removed-delete-files": "4" });
});
