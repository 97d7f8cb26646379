import type { Column } from "../../core/column.ts";
import type { Contract } from "../../core/contract.ts";
import type { OuterColumn } from "../../core/record-plan.ts";
import type { Records } from "../../core/records.ts";
import type { Field } from "../../core/schema.ts";
import type { ForeignColumns } from "../compose.ts";
import { jsonCodec } from "../json.ts";
import type { JsonTexts } from "../text/json-texts.ts";

/** Columns that come from beside the payload, as fields of an object which holds what they are paths into. */
export interface OuterFields {
  readonly fields: readonly Field[];
  /** The member names that the paths begin with. */
  readonly roots: readonly string[];
  /** The contract's columns out of those decoded for `fields`. */
  pick(columns: readonly Column[]): Column[];
}

/** The contract's fields as seen from outside: each by its path. A path inside a path that is a column of its own is the contract compiler's to refuse. */
export function outerFields(contract: Contract, outer: readonly OuterColumn[]): OuterFields {
  const byName = new Map(contract.fields.map((field) => [field.name, field]));
  const targets = outer.map(({ column, path }) => ({ field: byName.get(column) as Field, path }));
  const fields = tree(targets, 0);
  const pick = (columns: readonly Column[], path: readonly string[]): Column => {
    const found = columns.find((column) => column.field.sourceName === path[0]) as Column;
    return path.length === 1 || found.kind !== "struct" ? found : pick(found.children, path.slice(1));
  };
  return {
    fields,
    roots: fields.map(({ sourceName }) => sourceName),
    pick: (columns) => targets.map(({ field, path }) => ({ ...pick(columns, path), field })),
  };
}

type Target = { readonly field: Field; readonly path: readonly string[] };

function tree(targets: readonly Target[], depth: number): Field[] {
  const names = [...new Set(targets.map(({ path }) => path[depth] as string))];
  return names.map((name): Field => {
    const under = targets.filter(({ path }) => path[depth] === name);
    const [first] = under as [Target];
    if (first.path.length === depth + 1) return { ...first.field, name, sourceName: name };
    return {
      name,
      sourceName: name,
      path: name,
      type: { kind: "struct", fields: tree(under, depth + 1) },
      required: false,
      doc: null,
      classification: null,
      format: null,
    };
  });
}

/** A contract with other fields and no judgement of its own, for decoding what is beside the payload. */
export function bareContract(contract: Contract, fields: readonly Field[]): Contract {
  const { record: _record, format: _format, ...rest } = contract;
  return {
    ...rest,
    fields,
    rules: [],
    policies: {
      ...contract.policies,
      tombstone: "skip",
      unknownFields: "ignore",
      key: { action: "ignore" },
      oversized: { bytes: Number.MAX_SAFE_INTEGER, action: "quarantine" },
    },
  };
}

/** Decodes objects of attributes that were written as JSON texts, one a row. */
export function compileAttributes(contract: Contract, outer: OuterFields): (records: Records, texts: JsonTexts) => ForeignColumns {
  const decode = jsonCodec.compile(bareContract(contract, outer.fields));
  return (records, texts) => {
    const batch = decode(texts.records(records));
    return { columns: outer.pick(batch.columns), slab: batch.records.bytes };
  };
}
