import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { normal, seededRandom } from "../sketches/columns.ts";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-drift-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = join(folder, "sluice.yaml");
const usual = 9000;
const changed = 4000;

/** Flights of which, from one on, WN is later and AA as much earlier, the model knows nothing of it, and the producer sends another field. */
function predictions(): string[] {
  const random = seededRandom(12);
  const lines = Array.from({ length: usual + changed }, (_, id) => {
    const isChanged = id >= usual;
    const carrier = ["WN", "AA", "UA", "DL"][Math.floor(4 * random())]!;
    const shift = !isChanged ? 0 : carrier === "WN" ? 20 : carrier === "AA" ? -20 : 0;
    const due = 8 * normal(random);
    const flight = {
      id,
      carrier,
      distance_mi: 200 + Math.floor(2600 * random()),
      predicted_min: due,
      arrived_min: due + shift + 3 * normal(random),
      sure: random(),
    };
    return JSON.stringify(isChanged ? { ...flight, gate: "B7" } : flight);
  });
  return lines;
}

interface IncidentJson {
  readonly signals: readonly { readonly key: string; readonly effect: string }[];
}

it("fields, segments and a model's errors that drift are one incident, also where the worker was killed on the way", async () => {
  mkdirSync(join(folder, "input"));
  const lines = predictions();
  for (let from = 0; from < lines.length; from += 1000) {
    writeFileSync(join(folder, `input/${100_000 + from}.ndjson`), `${lines.slice(from, from + 1000).join("\n")}\n`);
  }
  copyFileSync(
    resolve(import.meta.dirname, "../../schemas/examples/arrival-predictions.odcs.yaml"),
    join(folder, "arrival-predictions.odcs.yaml"),
  );
  writeFileSync(
    config,
    "lake: { folder: lake }\nsource: { kind: files, paths: [input] }\ndatasets: [{ contract: arrival-predictions.odcs.yaml }]\nhttp: { enabled: false }\n",
  );
  // Killed between windows that are usual.
  const killed = await sluice(["run", "--config", config], { env: { SLUICE_CRASH_AT: "catalog.after-commit:6" } });
  expect(killed.code).not.toBe(0);
  expect((await sluice(["run", "--config", config])).code).toBe(0);
  const listed = await sluice(["incident", "list", "--config", config, "--json"]);
  const { incidents } = JSON.parse(listed.out) as { readonly incidents: readonly IncidentJson[] };
  expect(incidents).toHaveLength(1);
  const effects = new Map(incidents[0]!.signals.map(({ key, effect }) => [key, effect]));
  const expected = ["drift:*", "drift:arrived_min{carrier=AA}", "drift:arrived_min{carrier=WN}", "drift:predicted_min~arrived_min"];
  expect([...effects.keys()].toSorted()).toEqual(expected);
  expect(effects.get("drift:*")).toMatch(/^fields of records: new field gate \(a string\) in \d/);
  expect(effects.get("drift:arrived_min{carrier=WN}")).toMatch(/^arrived_min where carrier is WN: the mean rose from /);
  expect(effects.get("drift:arrived_min{carrier=AA}")).toMatch(/^arrived_min where carrier is AA: the mean fell from /);
  expect(effects.get("drift:predicted_min~arrived_min")).toMatch(/^predicted_min against arrived_min: the mean absolute error rose from /);
});
