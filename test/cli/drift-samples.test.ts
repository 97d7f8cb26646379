import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { Incident } from "../../src/core/incident.ts";
import type { CommandRun } from "./sluice.ts";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-samples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const contract = `apiVersion: v3.1.0
kind: DataContract
id: 11111111-1111-4111-8111-111111111111
version: 1.0.0
status: active
name: flights
schema:
  - name: flights
    logicalType: object
    properties:
      - { name: id, logicalType: integer }
      - { name: carrier, logicalType: string }
      - { name: delay, logicalType: number }
    customProperties:
      - property: sluice
        value:
          window: { rows: 1000 }
          drift:
            baseline: { rolling: 5 }
            warmupWindows: 3
            tick: { rows: 1000 }
            columns:
              - { column: carrier, tests: [new-values], policy: hold }
              - { column: delay, tests: [null-share], policy: hold }
`;

it("a hold by drift names records that show it, in the list of holds, the incident and its next step, and they are there", async () => {
  mkdirSync(join(folder, "input"));
  for (let file = 0; file < 6; file++) {
    const lines = Array.from({ length: 1000 }, (_, i) => {
      const isOdd = file === 5 && i >= 500 && i % 5 === 0;
      return JSON.stringify({
        id: 1000 * file + i,
        carrier: isOdd ? "WN" : ["AA", "UA"][i % 2],
        delay: file === 5 && i >= 500 && i % 5 === 1 ? null : i % 50,
      });
    });
    writeFileSync(join(folder, `input/${file}.ndjson`), `${lines.join("\n")}\n`);
  }
  writeFileSync(join(folder, "flights.odcs.yaml"), contract);
  const config = join(folder, "sluice.yaml");
  writeFileSync(
    config,
    "lake: { folder: lake }\nsource: { kind: files, paths: [input] }\ndatasets: [{ contract: flights.odcs.yaml }]\nhttp: { enabled: false }\n",
  );
  const command = (...args: readonly string[]): Promise<CommandRun> => sluice([...args, "--config", config]);
  const run = await command("run");
  expect(run.code, run.err).toBe(0);
  const held = await command("hold", "list");
  expect(held.out).toMatch(/carrier: new values: WN \(\d.*\(records such as flights:0:9\d\d, /);
  const { incidents } = JSON.parse((await command("incident", "list", "--json")).out) as { readonly incidents: readonly Incident[] };
  expect(incidents).toHaveLength(1);
  const [incident] = incidents as [Incident];
  for (const { subject, samples } of incident.signals) {
    expect(samples, subject).toHaveLength(3);
    const wanted = subject === "carrier" ? 0 : 1;
    for (const { offset } of samples ?? []) {
      expect(Number(offset)).toBeGreaterThanOrEqual(500);
      expect(Number(offset) % 5).toBe(wanted);
    }
  }
  const shown = await command("incident", "show", incident.id);
  expect(shown.out).toContain("records such as ");
  const next = /trace record (\S+) --dataset flights/.exec(shown.out);
  const traced = await command("trace", "record", next![1]!, "--dataset", "flights");
  expect(traced.code, traced.err).toBe(0);
  // Of the one file that has it, though each has a record at this offset.
  expect(traced.out.match(/^\S+:0:\d+  .*$/gm)).toHaveLength(1);
  expect(traced.out).toMatch(/:0:\d+ {2}held$/m);
  const [window] = incident.heldWindows as [string];
  expect((await command("hold", "publish", window, "-m", "a new carrier")).code).toBe(0);
  expect((await command("incident", "show", incident.id)).out).toContain(
    "Published: 1,000 records of it were held, and a person put them on main.",
  );
});
