import { writeFileSync } from "node:fs";
import { mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ContractWatcher } from "../../../src/adapters/contracts/contract-watcher.ts";

let folder = "";
let watcher: ContractWatcher | null = null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-watch-"));
});
afterEach(async () => {
  await watcher?.stop();
  await rm(folder, { recursive: true });
});

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function watch(files: readonly string[], onChange: () => Promise<void> | void): Promise<unknown[]> {
  const errors: unknown[] = [];
  watcher = new ContractWatcher({ files: () => files, onChange, onError: (error) => errors.push(error), intervalMs: 20, settleMs: 60 });
  watcher.start();
  return errors;
}

test("reports once soon after its start, then once for each settled change of content", async () => {
  const file = join(folder, "a.yaml");
  await writeFile(file, "1");
  const onChange = vi.fn<() => void>();
  await watch([file], onChange);
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(1), 60_000);
  await pause(200);
  expect(onChange).toHaveBeenCalledTimes(1);
  // Another time but the same content is no change.
  await utimes(file, 1, 1);
  await pause(200);
  expect(onChange).toHaveBeenCalledTimes(1);
  // A burst of writes is one change. Written without a pause: a slow machine would make several bursts of it.
  for (const text of ["2", "23", "234"]) writeFileSync(file, text);
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(2), 60_000);
  await pause(200);
  expect(onChange).toHaveBeenCalledTimes(2);
  // Replaced by a rename, as editors and Kubernetes do; gone; back.
  await writeFile(join(folder, "b.yaml"), "9");
  await rename(join(folder, "b.yaml"), file);
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(3), 60_000);
  await rm(file);
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(4), 60_000);
  await writeFile(file, "9");
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(5), 60_000);
});

test("a file of the list that changes is a change; a failing report is an error and ends nothing", async () => {
  const files = [join(folder, "a.yaml"), join(folder, "b.json")];
  for (const file of files) await writeFile(file, "1");
  let calls = 0;
  const errors = await watch(files, () => {
    calls++;
    if (calls === 1) throw new Error("once");
  });
  await vi.waitFor(() => expect(errors).toHaveLength(1), 60_000);
  await writeFile(files[1] as string, "2");
  await vi.waitFor(() => expect(calls).toBe(2), 60_000);
});

test("nothing is reported after it stopped", async () => {
  const file = join(folder, "a.yaml");
  await writeFile(file, "1");
  const onChange = vi.fn<() => void>();
  await watch([file], onChange);
  await watcher?.stop();
  await writeFile(file, "2");
  await pause(200);
  expect(onChange).not.toHaveBeenCalled();
});
