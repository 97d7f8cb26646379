import type { Batch } from "../../core/batch.ts";
import type { Contract } from "../../core/contract.ts";
import type { EnvelopePlan } from "../../core/record-plan.ts";
import type { Records } from "../../core/records.ts";
import { joinColumns } from "../compose.ts";
import type { Decode } from "../decoder.ts";
import type { DecodeFaultCode } from "../faults.ts";
import { JsonTexts, memberKey } from "../text/json-texts.ts";
import { mergeFaults } from "../text/merge-faults.ts";
import { compileAttributes, outerFields } from "./attributes.ts";
import { Members, PayloadSpans } from "./members.ts";

export type DebeziumPlan = Extract<EnvelopePlan, { readonly kind: "debezium" }>;

/** Whether an operation's row is the image before it or after it; null: it has no row, or is none. */
export function imageOf(op: string, deletes: DebeziumPlan["deletes"]): "before" | "after" | "tombstone" | null {
  // create, read (a snapshot's), update; delete.
  if (op === "c" || op === "r" || op === "u") return "after";
  if (op !== "d") return null;
  return deletes === "before" ? "before" : "tombstone";
}

/**
 * Debezium's change events as JSON, with the schema beside the payload or without. The row is the image that the operation left, decoded from its
 * span of the record; the contract's attribute columns come from the event around it.
 */
export function compileDebeziumJson(contract: Contract, plan: DebeziumPlan, json: (contract: Contract) => Decode): Decode {
  const outer = outerFields(contract, plan.columns);
  const taken = new Set(plan.columns.map(({ column }) => column));
  const decode = json({ ...contract, fields: contract.fields.filter(({ name }) => !taken.has(name)) });
  const attributes = compileAttributes(contract, outer);
  return (records) => {
    const events = new ChangeEvents(records, plan, { roots: outer.roots, bytesMax: contract.policies.oversized.bytes });
    for (let row = 0; row < records.count; row++) events.read(row);
    const payload = events.spans.records();
    const batch = decode(payload);
    const merged: Batch = { ...mergeFaults(batch, events.texts.faults), records, payload: batch.payload ?? payload };
    return joinColumns(contract, merged, [attributes(records, events.texts)]);
  };
}

class ChangeEvents {
  readonly spans: PayloadSpans;
  /** The attributes, and the faults. */
  readonly texts: JsonTexts;
  readonly #records: Records;
  readonly #bytesMax: number;
  readonly #plan: DebeziumPlan;
  readonly #members: Members;
  readonly #roots: readonly { readonly key: string; readonly index: number }[];

  constructor(records: Records, plan: DebeziumPlan, { roots, bytesMax }: { readonly roots: readonly string[]; readonly bytesMax: number }) {
    this.#records = records;
    this.#bytesMax = bytesMax;
    this.#plan = plan;
    this.spans = new PayloadSpans(records);
    this.texts = new JsonTexts(records.count);
    this.#members = new Members([...new Set(["op", "before", "after", "payload", ...roots])]);
    this.#roots = roots.map((name) => ({ key: memberKey(name), index: this.#members.index(name) }));
  }

  read(row: number): void {
    const { bytes } = this.#records;
    const length = this.#records.valueLength[row] as number;
    if (length < 0) return;
    const start = this.#records.valueStart[row] as number;
    this.texts.begin();
    if (length > this.#bytesMax) return this.#fail(row, "record.oversized", `${length} bytes, ${this.#bytesMax} allowed`);
    const members = this.#members;
    if (!members.read(bytes, start, start + length)) return this.#unreadable(row);
    const payload = members.index("payload");
    // With `schemas.enable` the event is the payload, and its schema stands beside it.
    if (members.first(bytes, members.index("op")) === 0 && members.first(bytes, payload) !== 0) {
      const from = members.starts[payload] as number;
      // A null payload is a tombstone with a schema.
      if (bytes[from] === 0x6e) return;
      if (!members.read(bytes, from, members.ends[payload] as number)) return this.#unreadable(row);
    }
    this.#event(row);
  }

  #event(row: number): void {
    const { bytes } = this.#records;
    const members = this.#members;
    const op = members.text(bytes, members.index("op"));
    if (op === "t") return this.#fail(row, "debezium.truncate");
    const image = op === null ? null : imageOf(op, this.#plan.deletes);
    if (image === null) return this.#fail(row, "debezium.not-change", op === null ? "" : `op ${JSON.stringify(op.slice(0, 20))}`);
    if (image === "tombstone") return;
    const index = members.index(image);
    if (members.isNull(bytes, index)) return this.#fail(row, "debezium.no-image", `${image} of op ${JSON.stringify(op)}`);
    this.spans.span(row, members.starts[index] as number, members.ends[index] as number);
    let separator = "{";
    for (const { key, index: root } of this.#roots) {
      const from = members.starts[root] as number;
      if (from < 0) continue;
      this.texts.raw(separator + key);
      this.texts.copy(bytes, from, members.ends[root] as number);
      separator = ",";
    }
    this.texts.raw(separator === "{" ? "{}" : "}");
    this.texts.end(row);
  }

  #unreadable(row: number): void {
    const { fault, faultAt, detail } = this.#members;
    this.texts.fail(row, fault, faultAt, detail);
  }

  #fail(row: number, code: DecodeFaultCode, detail = ""): void {
    this.texts.fail(row, code, null, detail);
  }
}
