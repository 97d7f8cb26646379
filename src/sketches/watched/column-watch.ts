import type { Batch } from "../../core/batch.ts";
import type { Column, IntegerColumn } from "../../core/column.ts";
import type { Contract, DriftCheckPlan, DriftModel } from "../../core/contract.ts";
import { allFields } from "../../core/all-fields.ts";
import type { ColumnProfile, FieldCounts, Profile, WatchedParts } from "../../core/profile.ts";
import type { Condition } from "../../core/rule.ts";
import type { Field } from "../../core/schema.ts";
import { emptyColumnProfile } from "../finish-column.ts";
import type { LeafColumn } from "../leaf-columns.ts";
import { leafFields } from "../leaf-columns.ts";
import { Arrivals } from "./arrivals.ts";
import { EventLags } from "./event-lags.ts";
import { boundFields } from "./field-counts.ts";
import type { CountableColumn } from "./joint-columns.ts";
import { JointColumns } from "./joint-columns.ts";
import { ModelErrors } from "./model-errors.ts";
import type { SelectRows } from "./segments.ts";
import { SegmentColumn, Selections } from "./segments.ts";
import { TextPatterns } from "./text-patterns.ts";

/** One column's part of a window's profile that a drift test asks for. */
interface PartWatch {
  readonly path: string;
  reset(): void;
  add(batch: Batch, rows: Uint32Array): void;
  finish(): WatchedParts;
}

/** Counts which fields the records of a window have. */
export interface FieldCounter {
  reset(): void;
  add(batch: Batch): void;
  finish(): FieldCounts;
}

/** What watching takes from rooms that know how records are written and which rows conditions are true of. */
export interface WatchTools {
  readonly countFields: (contract: Contract) => FieldCounter;
  readonly selectRows: (contract: Contract, where: Condition) => SelectRows;
}

/** What drift tests ask of a window besides its columns' statistics; reset, added to and finished with the window's profiler. */
export interface ColumnWatch {
  reset(): void;
  add(batch: Batch, rows: Uint32Array): void;
  /** The profile with what was seen. */
  complete(profile: Profile): Profile;
}

/** Watches what a contract's drift tests name; null where none asks for more than the profile. */
export function watchColumns(contract: Contract, tools: WatchTools | null): ColumnWatch | null {
  const fields = new Map(leafFields(contract.fields).map((field) => [field.path, field]));
  const checks = contract.drift?.checks ?? [];
  const parts = checks.flatMap((check) => {
    const field = fields.get(check.column);
    return field === undefined ? [] : partsOf(check, field);
  });
  const selections = tools === null ? null : new Selections(contract, tools.selectRows);
  const extra = checks.flatMap((check) => {
    if (check.model !== undefined) return [watchErrors(check.column, check.model)];
    if (tools === null || selections === null) return [];
    // A column can have that name.
    if (check.column === allFields.path && !fields.has(allFields.path)) return [watchFields(tools.countFields(contract))];
    const field = fields.get(check.segment?.of ?? "");
    return field === undefined || check.segment === undefined ? [] : [watchSegment(check, field, selections.rowsOf(check.segment.where))];
  });
  if (parts.length + extra.length === 0) return null;
  return {
    reset: () => [...parts, ...extra].forEach((part) => part.reset()),
    add: (batch, rows) => {
      selections?.take(batch, rows);
      for (const part of parts) part.add(batch, rows);
      for (const each of extra) each.add(batch, rows);
    },
    complete: (profile) => {
      const columns = new Map(profile.columns);
      for (const part of parts) {
        const column = columns.get(part.path);
        if (column !== undefined) columns.set(part.path, { ...column, watched: { ...column.watched, ...part.finish() } });
      }
      for (const each of extra) {
        const column = each.finish();
        columns.set(column.path, column);
      }
      return { rows: profile.rows, columns };
    },
  };
}

/** A profile that is no column's own: of what the records are like, or of some of the rows. */
interface ExtraColumn {
  reset(): void;
  add(batch: Batch, rows: Uint32Array): void;
  finish(): ColumnProfile;
}

function watchFields(counter: FieldCounter): ExtraColumn {
  return {
    reset: () => counter.reset(),
    add: (batch) => counter.add(batch),
    finish: () => {
      const counts = counter.finish();
      // A contract can name more fields than profiles hold.
      const fields = { ...counts, fields: boundFields(counts.fields) };
      return { ...emptyColumnProfile(allFields), count: fields.records, watched: { fields } };
    },
  };
}

function watchErrors(path: string, model: DriftModel): ExtraColumn {
  const errors = new ModelErrors(path, model.task);
  return {
    reset: () => errors.reset(),
    add: (batch, rows) => {
      const [prediction, label] = [findLeaf(batch.columns, model.prediction), findLeaf(batch.columns, model.label)];
      if (prediction !== null && label !== null) errors.add(prediction, label, rows);
    },
    finish: () => errors.finish(),
  };
}

function watchSegment(check: DriftCheckPlan, field: Field, rowsOf: () => Uint32Array): ExtraColumn {
  const column = new SegmentColumn(check.column, field);
  const parts = partsOf(check, field);
  return {
    reset: () => [column, ...parts].forEach((each) => each.reset()),
    add: (batch) => {
      const rows = rowsOf();
      const leaf = findLeaf(batch.columns, field.path);
      if (leaf !== null) column.add(leaf, rows);
      for (const part of parts) part.add(batch, rows);
    },
    finish: () => {
      const watched: WatchedParts = Object.assign({}, ...parts.map((part) => part.finish()));
      return { ...column.finish(), ...(parts.length > 0 && { watched }) };
    },
  };
}

function partsOf(check: DriftCheckPlan, field: Field): PartWatch[] {
  const { path, type } = field;
  const tests = new Set(check.tests);
  const parts: PartWatch[] = [];
  if (tests.has("pattern-mix") && type.kind === "string") {
    const patterns = new TextPatterns();
    const watch = watchLeaf(path, patterns, ({ leaf, rows }) => {
      if (leaf.kind === "bytes") patterns.add(leaf, rows);
    });
    parts.push({ ...watch, finish: () => ({ patterns: patterns.finish() }) });
  }
  if (tests.has("event-lag") && type.kind === "timestamp") {
    const lags = new EventLags();
    const watch = watchLeaf(path, lags, ({ leaf, rows, batch }) => lags.add(leaf as IntegerColumn, rows, batch.records));
    parts.push({ ...watch, finish: () => ({ lag: lags.finish() }) });
  }
  if (tests.has("volume")) {
    const arrivals = new Arrivals();
    const watch = watchLeaf(path, arrivals, ({ leaf, rows, batch }) => arrivals.add(leaf, rows, batch.records));
    parts.push({ ...watch, finish: () => ({ arrival: arrivals.finish() }) });
  }
  if ((tests.has("correlation") || tests.has("joint-mean")) && check.with !== undefined) parts.push(watchJoint(path, check.with));
  return parts;
}

function watchJoint(path: string, others: readonly string[]): PartWatch {
  const paths = [path, ...others];
  const joint = new JointColumns(paths);
  return {
    path,
    reset: () => joint.reset(),
    add: (batch, rows) => {
      const leaves = paths.flatMap((each) => findLeaf(batch.columns, each) ?? []);
      const countable = leaves.filter((leaf): leaf is CountableColumn => leaf.kind !== "bytes" && leaf.kind !== "boolean");
      if (countable.length === paths.length) joint.add(countable, rows);
    },
    finish: () => ({ joint: joint.finish() }),
  };
}

interface SeenLeaf {
  readonly leaf: LeafColumn;
  readonly rows: Uint32Array;
  readonly batch: Batch;
}

function watchLeaf(path: string, held: { reset(): void }, add: (seen: SeenLeaf) => void): Omit<PartWatch, "finish"> {
  return {
    path,
    reset: () => held.reset(),
    add: (batch, rows) => {
      const leaf = findLeaf(batch.columns, path);
      if (leaf !== null) add({ leaf, rows, batch });
    },
  };
}

/** The leaf of a path that has one cell a row. */
function findLeaf(columns: readonly Column[], path: string): LeafColumn | null {
  for (const column of columns) {
    if (column.kind === "struct") {
      const found = findLeaf(column.children, path);
      if (found !== null) return found;
    } else if (column.kind !== "list" && column.field.path === path) return column;
  }
  return null;
}
