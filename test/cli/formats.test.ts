import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "@msgpack/msgpack";
import { afterAll, describe, expect, it } from "vitest";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-formats-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const contract = (settings: string): string => `apiVersion: v3.2.0
kind: DataContract
id: t
version: 1.0.0
status: active
schema:
  - name: t
    properties:
      - { name: id, logicalType: integer, required: true, logicalTypeOptions: { minimum: 5 } }
      - { name: note, logicalType: string }
    customProperties: [{ property: sluice, value: { ${settings} } }]
`;

interface Shown {
  readonly reasons: readonly { readonly rule: string }[];
  readonly decoded: string | null;
}

describe("records that are no JSON, from files into the lake", () => {
  it("are shown decoded where they are in quarantine, and replayed by the contract as it is then", async () => {
    const input = join(folder, "in");
    mkdirSync(input);
    writeFileSync(join(input, "a.bin"), encode({ id: 1, note: "x" }));
    writeFileSync(join(input, "b.bin"), encode({ id: 9, note: "y" }));
    writeFileSync(join(input, "c.bin"), Uint8Array.of(0xc1));
    const file = join(folder, "t.odcs.yaml");
    writeFileSync(file, contract("decoding: { format: messagepack }"));
    const config = join(folder, "sluice.yaml");
    writeFileSync(
      config,
      "source: { kind: files, paths: [in], format: raw }\ndatasets: [{ contract: t.odcs.yaml }]\nhttp: { enabled: false }\n",
    );
    expect((await sluice(["run", "--config", config])).code).toBe(0);
    const listed = JSON.parse((await sluice(["quarantine", "list", "--config", config, "--json"])).out) as { records: { id: string }[] };
    const shown: Shown[] = [];
    for (const { id } of listed.records)
      shown.push(JSON.parse((await sluice(["quarantine", "show", id, "--config", config, "--json"])).out) as Shown);
    expect(shown.toSorted((a, b) => String(a.reasons[0]?.rule).localeCompare(String(b.reasons[0]?.rule)))).toMatchObject([
      { reasons: [{ rule: "id.range" }], decoded: '{"id": 1, "note": "x"}' },
      {
        reasons: [{ rule: "messagepack.syntax" }],
        decoded: expect.stringMatching(/^can't be decoded: the value is no MessagePack/) as string,
      },
    ]);
    const printed = await sluice(["quarantine", "show", listed.records[0]?.id ?? "", "--config", config]);
    expect(printed.out).toMatch(/^value {7}0x[0-9a-f]+ \(\d+ bytes\)\ndecoded {5}/m);
    writeFileSync(
      file,
      contract("decoding: { format: messagepack }").replace("minimum: 5", "minimum: 0").replace("version: 1.0.0", "version: 1.0.1"),
    );
    const replayed = await sluice(["quarantine", "replay", "--config", config, "--json"]);
    expect(JSON.parse(replayed.out)).toMatchObject({ replayed: 2, promoted: 1, failed: 1 });
  });

  it("CSV rows go into the lake by the header's columns, and again from quarantine", async () => {
    const input = join(folder, "csv");
    mkdirSync(input);
    writeFileSync(join(input, "a.csv"), "note;id\nx;7\n'a;b';2\n");
    const file = join(folder, "c.odcs.yaml");
    const settings = "decoding: { format: csv, csv: { delimiter: ';', quote: \"'\" } }";
    writeFileSync(file, contract(settings));
    const config = join(folder, "csv.yaml");
    writeFileSync(
      config,
      "source: { kind: files, paths: [csv] }\nlake: { folder: csv-lake }\ndatasets: [{ contract: c.odcs.yaml }]\nhttp: { enabled: false }\n",
    );
    expect((await sluice(["run", "--config", config])).code).toBe(0);
    const listed = JSON.parse((await sluice(["quarantine", "list", "--config", config, "--json"])).out) as { records: { id: string }[] };
    expect(listed.records).toHaveLength(1);
    const shown = JSON.parse(
      (await sluice(["quarantine", "show", listed.records[0]?.id ?? "", "--config", config, "--json"])).out,
    ) as Shown;
    expect(shown.decoded).toBe('{"id": "2", "note": "a;b"}');
    writeFileSync(file, contract(settings).replace("minimum: 5", "minimum: 0").replace("version: 1.0.0", "version: 1.0.1"));
    const replayed = await sluice(["quarantine", "replay", "--config", config, "--json"]);
    expect(JSON.parse(replayed.out)).toMatchObject({ replayed: 1, promoted: 1, failed: 0 });
  });
});
