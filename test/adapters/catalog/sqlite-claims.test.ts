import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { claimSchema, SqliteClaims } from "../../../src/adapters/catalog/sqlite-claims.ts";
import { SqliteDatabase } from "../../../src/adapters/catalog/sqlite-database.ts";
import { describeClaims } from "../../contract-suites/claims.ts";

const folders: string[] = [];
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-claims-"));
  folders.push(folder);
  return folder;
}

let folder = "";
describeClaims({
  name: "SQLite",
  reset: async () => {
    folder = newFolder();
  },
  open: async () => {
    const database = await SqliteDatabase.open({ file: join(folder, "claims.db"), random: () => 0.5, busyMsMax: 20_000 }, claimSchema);
    return {
      claims: new SqliteClaims(database, "sluice.test"),
      count: () =>
        database.read((connection) => (connection.prepare("SELECT count(*) AS n FROM sluice_claims").get() as { readonly n: number }).n),
      close: () => database.close(),
    };
  },
});

it("processes that race for the same keys: each key has one holder, also when one is killed and begins again", async () => {
  const shared = newFolder();
  const script = new URL("claims-process.ts", import.meta.url).pathname;
  const run = (partition: number, kill: boolean): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const child = fork(script, [shared, String(partition)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
      const won: string[] = [];
      child.on("message", (message: string[]) => {
        won.push(...message);
        if (kill && won.length > 0) child.kill("SIGKILL");
      });
      child.on("error", reject);
      child.on("exit", (code) => (code === 0 || kill ? resolve(won) : reject(new Error(`exit ${code}`))));
    });
  const [first, , third] = await Promise.all([run(0, false), run(1, true), run(2, false)]);
  const second = await run(1, false);
  const all = [...first, ...second, ...third];
  expect(new Set(all).size).toBe(all.length);
  expect(all).toHaveLength(6000);
});
