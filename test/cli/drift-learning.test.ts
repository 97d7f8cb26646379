import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { CommandRun } from "./sluice.ts";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-learning-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const contractOf = (version: number, baseline: string): string => `apiVersion: v3.1.0
kind: DataContract
id: 11111111-1111-4111-8111-111111111111
version: ${version}.0.0
status: active
name: flights
schema:
  - name: flights
    logicalType: object
    properties:
      - { name: id, logicalType: integer }
      - { name: delay, logicalType: number }
    customProperties:
      - property: sluice
        value:
          window: { rows: 100 }
          drift:
            baseline: ${baseline}
            warmupWindows: 3
            tick: { rows: 100 }
            columns: [{ column: delay, tests: [mean], policy: warn }]
`;

it("status says why drift is not judged yet: windows that are missing, a tag that is not there", async () => {
  mkdirSync(join(folder, "input"));
  const config = join(folder, "sluice.yaml");
  writeFileSync(
    config,
    "lake: { folder: lake }\nsource: { kind: files, paths: [input] }\ndatasets: [{ contract: flights.odcs.yaml }]\nhttp: { enabled: false }\n",
  );
  const command = (...args: readonly string[]): Promise<CommandRun> => sluice([...args, "--config", config]);
  let files = 0;
  const takeFile = async (): Promise<string> => {
    const lines = Array.from({ length: 100 }, (_, i) => JSON.stringify({ id: 100 * files + i, delay: i % 50 }));
    writeFileSync(join(folder, `input/${files++}.ndjson`), `${lines.join("\n")}\n`);
    const run = await command("run");
    expect(run.code, run.err).toBe(0);
    return (await command("status")).out;
  };
  writeFileSync(join(folder, "flights.odcs.yaml"), contractOf(1, "{ rolling: 5 }"));
  expect(await takeFile()).toMatch(/^ +drift +not judged yet: learning: \d more promoted windows are needed$/m);
  for (let more = 0; more < 3; more++) await takeFile();
  expect(await takeFile()).not.toContain("not judged yet");
  expect(JSON.parse((await command("status", "--json")).out)).toMatchObject({ datasets: [{ driftLearning: [] }] });
  writeFileSync(join(folder, "flights.odcs.yaml"), contractOf(2, "{ pinned: golden }"));
  expect(await takeFile()).toMatch(/^ +drift +not judged yet: the pinned baseline golden has no profile here$/m);
});
