import { schemaOfContract } from "../../../src/adapters/iceberg/table-schema.ts";
import { jsonCodec } from "../../../src/codecs/json.ts";
import type { QuarantinedRecord, ReplayCommit } from "../../../src/core/ports.ts";
import { recordsOfQuarantined } from "../../../src/core/quarantined-records.ts";
import { makeDecision } from "../../fixtures/decision.ts";
import { badValue, contract, encode, textOf } from "./lake-fixture.ts";

/** A replay of these records: those whose text is a row pass, the others fail as `state`. */
export function makeReplay(id: string, replayed: readonly QuarantinedRecord[], state: "open" | "parked" = "open"): ReplayCommit {
  const batch = jsonCodec.compile(contract)(recordsOfQuarantined(replayed));
  const passes = replayed.map((record) => textOf(record).startsWith("{"));
  const rows = Uint32Array.from(passes.keys()).filter((i) => passes[i]);
  const failed = [...passes.keys()].filter((i) => !passes[i]).map((index) => ({ index, reasons: [badValue, badValue], state }));
  const decision = makeDecision({
    dataset: "orders",
    windowId: id,
    kind: "replay",
    closedBy: "replay",
    contract: { id: contract.id, version: contract.version, hash: contract.hash },
    counts: { records: replayed.length, promoted: rows.length, quarantined: failed.length, held: 0, skipped: { tombstone: 0, late: 0 } },
    closedAtMs: 1_800_000_000_000,
  });
  return { contract, decision, replayed, passed: encode(batch, rows, schemaOfContract(contract, null).schema), failed };
}
