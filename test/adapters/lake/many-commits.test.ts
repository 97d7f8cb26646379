import { expect, it } from "vitest";
import { makeWindow, row, scratchFolder, startedLake } from "./lake-fixture.ts";
import { loadBoth, readBranch } from "./table-content.ts";
import { readManifestList } from "../../../src/adapters/iceberg/table-io.ts";
import { snapshotOfRef } from "../../../src/adapters/iceberg/table-metadata.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";

it("stays fast over 300 commits, with few manifests", { timeout: 600_000 }, async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const times: number[] = [];
  for (let i = 0; i < 300; i++) {
    const window = makeWindow({ id: `w${i}`, from: BigInt(2 * i), values: [row(i), "bad"], rejected: [1] });
    const start = performance.now();
    await lake.commitWindow(window);
    times.push(performance.now() - start);
  }
  const median = (part: readonly number[]): number => part.toSorted((a, b) => a - b)[part.length >> 1] as number;
  console.log(
    `milliseconds a commit: ${[0, 100, 200].map((at) => median(times.slice(at, at + 100)).toFixed(1)).join(", ")} (median of each hundred)`,
  );
  const { promoted, quarantine } = await loadBoth(scratch.folder, "orders");
  const storage = createLocalStorage(scratch.folder);
  for (const table of [promoted, quarantine]) {
    const manifests = await readManifestList(storage, snapshotOfRef(table, "main"));
    expect(manifests.length).toBeLessThan(35);
    expect(manifests.reduce((sum, each) => sum + each.addedFiles + each.existingFiles, 0)).toBe(300);
    expect(snapshotOfRef(table, "main")?.summary).toMatchObject({ "total-data-files": "300", "total-records": "300" });
  }
  const main = await readBranch(scratch.folder, "orders");
  expect(main.promoted).toHaveLength(300);
  expect(new Set(main.files).size).toBe(600);
  await lake.close();
});
