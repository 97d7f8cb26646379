import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { encodeDecision } from "../../../src/core/decision-text.ts";
import type { Contract } from "../../../src/core/contract.ts";
import type { WindowCommit } from "../../../src/core/ports.ts";
import { emptyProfile, encodeProfile } from "../../../src/sketches/index.ts";
import { pythonHere, pythonReaders, runPython } from "../../live/harness/python-readers.ts";
import { makeWindow, openLake, partitions, scratchFolder } from "./lake-fixture.ts";
import { odcs } from "./odcs-fixture.ts";

/** A window with a profile, which the fixture's own have not. */
function profiled(
  contract: Contract,
  id: string,
  from: number,
  hold = false,
): { readonly commit: WindowCommit; readonly profile: Uint8Array } {
  const commit = makeWindow({ id, from: BigInt(from), values: [`{"n":${from}}`], contract, ...(hold && { verdict: "hold" as const }) });
  const profile = encodeProfile({ ...emptyProfile(contract), rows: from + 1 });
  const hash = createHash("sha256").update(profile).digest("hex");
  const column = {
    path: "n",
    kind: "number",
    count: 1,
    nulls: 0,
    missing: 0,
    distinct: 1,
  } as unknown as WindowCommit["decision"]["profile"]["columns"][number];
  const decision = { ...commit.decision, profile: { rows: from + 1, hash, columns: [column] } };
  return { commit: { ...commit, decision, profile }, profile };
}

/** Reads Puffin files by the specification alone. PyIceberg must read a table that has them: it refuses one whose metadata names blob types that it does not know. */
const script = `
import sys, json, struct
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
t = catalog.load_table("db.orders")
out = []
for s in t.metadata.statistics:
    data = open(s.statistics_path.replace("file://", ""), "rb").read()
    assert data[:4] == b"PFA1" and data[-4:] == b"PFA1" and len(data) == s.file_size_in_bytes
    size, flags = struct.unpack("<iI", data[-12:-4])
    assert flags == 0 and size + 16 == s.file_footer_size_in_bytes
    footer = data[-s.file_footer_size_in_bytes:]
    assert footer[:4] == b"PFA1"
    payload = json.loads(footer[4:-12])
    snapshot = t.snapshot_by_id(s.snapshot_id)
    blobs = []
    assert s.blob_metadata == []
    for blob in payload["blobs"]:
        assert snapshot.snapshot_id == blob["snapshot-id"]
        assert snapshot.sequence_number == blob["sequence-number"]
        blobs.append({"type": blob["type"], "fields": [t.schema().find_column_name(f) for f in blob["fields"]], "properties": blob["properties"], "hex": data[blob["offset"]:blob["offset"] + blob["length"]].hex()})
    out.append({"change": snapshot.summary.additional_properties["sluice.change"], "blobs": blobs, "by": payload["properties"]})
print(json.dumps(out))
`;

describe.skipIf(!pythonHere)("statistics of windows", () => {
  it(
    "stand as Puffin blobs of the snapshot that promoted their rows, also of held windows that are published",
    { timeout: 300_000 },
    async () => {
      const python = (await pythonReaders()) as string;
      using scratch = scratchFolder();
      const contract = await odcs(1, ["{ name: n, logicalType: integer }"], "{ statistics: window }");
      const lake = await openLake(scratch.folder);
      await lake.activate(contract);
      await lake.recordStart(
        "orders",
        partitions.map((key) => ({ ...key, next: 0n })),
      );
      const one = profiled(contract, "w1", 0);
      const two = profiled(contract, "w2", 1, true);
      await lake.commitWindow(one.commit);
      await lake.commitWindow(two.commit);
      await lake.publishHeld("orders", "w2", { author: "ann", reason: "good" });
      const none = await odcs(2, ["{ name: n, logicalType: integer }"], "{ statistics: none }");
      await lake.activate(none);
      await lake.commitWindow(profiled(none, "w3", 2).commit);
      await lake.close();
      const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
      const seen = JSON.parse(await runPython(python, script, [scratch.folder])) as {
        change: string;
        blobs: { type: string; hex: string }[];
      }[];
      expect(seen).toMatchObject([
        {
          change: "window",
          by: { "created-by": "Sluice" },
          blobs: [
            { type: "sluice-decision-v1", fields: [], hex: hex(encodeDecision(one.commit.decision)) },
            {
              type: "sluice-profile-v1",
              fields: ["n"],
              hex: hex(one.profile),
              properties: { rows: "1", "sluice.verdict": "promote", "sluice.window-id": "w1" },
            },
          ],
        },
        {
          change: "publish",
          blobs: [{ type: "sluice-decision-v1" }, { type: "sluice-profile-v1", hex: hex(two.profile), properties: { rows: "2" } }],
        },
      ]);
    },
  );
});
