import type { Batch } from "../../core/batch.ts";
import type { Column } from "../../core/column.ts";
import { CellKeys } from "../cell-key.ts";
import { cellText } from "../cell-text.ts";
import { locate, resolveRowPath } from "../column-path.ts";
import { KeyIndex } from "../key-index.ts";
import { invalidRule, type RuleTarget } from "../rule-family.ts";
import { doubleMeasure, wholeMeasure, type Measure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric, MetricFold } from "./metric.ts";
import { NumberGatherer, numberColumn, timeWords, type NumberColumn } from "./number-cells.ts";

/** Numbers of one group, in doubles; the sum is kept with what its rounding lost (Neumaier 1974). */
interface Group {
  /** `AA, EWR` */
  readonly name: string;
  rows: number;
  count: number;
  sum: number;
  lost: number;
  min: number;
  max: number;
}

/** By key, each byte of it one character. */
type Groups = ReadonlyMap<string, Readonly<Group>>;

function newGroup(name: string): Group {
  return { name, rows: 0, count: 0, sum: 0, lost: 0, min: Infinity, max: -Infinity };
}

function addTo(group: Group, value: number): void {
  const sum = group.sum + value;
  group.lost += Math.abs(group.sum) >= Math.abs(value) ? group.sum - sum + value : value - sum + group.sum;
  group.sum = sum;
}

type Aggregate = "count" | "sum" | "mean" | "min" | "max";

/** None where the group has no value. */
function measureGroup(group: Group, aggregate: Aggregate): Measure | null {
  if (aggregate === "count") return wholeMeasure(group.rows);
  if (group.count === 0) return null;
  const sum = group.sum + group.lost;
  if (aggregate === "sum" || aggregate === "mean") return doubleMeasure(aggregate === "sum" ? sum : sum / group.count);
  return doubleMeasure(group[aggregate]);
}

function openGroups(target: RuleTarget, by: readonly string[], source: NumberColumn | null, groupsMax: number): MetricFold<Groups> {
  const paths = by.map((name) => resolveRowPath(target.fields, name, target.plan));
  const gatherer = source === null ? null : new NumberGatherer(source);
  const index = new KeyIndex();
  const groups: Group[] = [];
  const keys = new CellKeys();
  const groupAt = (batch: Batch, columns: readonly Column[], row: number): Group => {
    keys.length = 0;
    for (const column of columns) keys.append(column, row);
    const at = index.add(keys.bytes, 0, keys.length);
    if (at === groups.length) {
      if (at === groupsMax) throw new RangeError(`there are more than ${groupsMax.toLocaleString("en")} groups (groupsMax)`);
      groups.push(newGroup(columns.map((column) => cellText(column, row, batch) ?? "null").join(", ")));
    }
    return groups[at] as Group;
  };
  return {
    add: (batch, applies) => {
      const cells = gatherer?.gather(batch, applies);
      const columns = paths.map((path) => locate(batch, path).column);
      let next = 0;
      for (let row = 0; row < batch.rows; row++) {
        if (applies[row] === 0) continue;
        const group = groupAt(batch, columns, row);
        group.rows++;
        if (cells === undefined || next === cells.count || cells.rows[next] !== row) continue;
        const value = cells.values[next++] as number;
        group.count++;
        addTo(group, value);
        group.min = Math.min(group.min, value);
        group.max = Math.max(group.max, value);
      }
    },
    state: () => new Map(groups.map((group, i) => [Buffer.from(index.key(i)).toString("latin1"), { ...group }])),
  };
}

function mergeGroups(a: Groups, b: Groups, groupsMax: number): Groups {
  const merged = new Map<string, Group>([...a].map(([key, group]) => [key, { ...group }]));
  for (const [key, group] of b) {
    const into = merged.get(key) ?? newGroup(group.name);
    into.rows += group.rows;
    into.count += group.count;
    addTo(into, group.sum);
    into.lost += group.lost;
    into.min = Math.min(into.min, group.min);
    into.max = Math.max(into.max, group.max);
    merged.set(key, into);
  }
  if (merged.size > groupsMax) throw new RangeError(`there are more than ${groupsMax.toLocaleString("en")} groups (groupsMax)`);
  return merged;
}

const nouns: Readonly<Record<Aggregate, string>> = {
  count: "",
  sum: "the sum",
  mean: "the mean",
  min: "the least value",
  max: "the greatest value",
};

/**
 * A number of each group of rows with equal values in some columns (null is a value of its own there). Groups without any value of the
 * measured column are not judged. Too many groups are a fault: the rule could not be evaluated.
 */
export const groupsKind: MetricKind<"groups"> = {
  family: "groups",
  compile(check, target): Metric {
    const { aggregate, by, groupsMax } = check;
    if (by.length === 0) throw invalidRule(target.plan, "it names no column to group by");
    if ((check.column === null) !== (aggregate === "count"))
      throw invalidRule(target.plan, `${aggregate} ${aggregate === "count" ? "takes no" : "needs a"} column`);
    const timed = aggregate === "min" || aggregate === "max" ? "with times" : "without times";
    const source = check.column === null ? null : numberColumn(target, check.column, "value", timed);
    const words = source === null ? undefined : timeWords(source.path.field.type);
    const masked = by.some((name) => resolveRowPath(target.fields, name, target.plan).masked) || source?.path.masked === true;
    const judged = (groups: Groups): { readonly name: string; readonly measure: Measure }[] =>
      [...groups.values()]
        .flatMap((group) => {
          const measure = measureGroup(group, aggregate);
          return measure === null ? [] : [{ name: group.name, measure }];
        })
        .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    const metric: Metric<Groups> = {
      subject: `${source === null ? "the number of rows" : `${nouns[aggregate]} of ${source.name}`} by ${by.join(", ")}`,
      masked,
      units: ["value"],
      open: () => openGroups(target, by, source, groupsMax),
      merge: (a, b) => mergeGroups(a, b, groupsMax),
      read: (groups) => ({ measure: wholeMeasure(groups.size) }),
      readEach: judged,
      ...(words === undefined ? {} : { words }),
    };
    return metric;
  },
};
