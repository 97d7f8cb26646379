import { allFields } from "../core/all-fields.ts";
import { conditionPaths } from "../core/condition-paths.ts";
import type { Contract, DriftCheckPlan } from "../core/contract.ts";
import type { Field } from "../core/schema.ts";
import { isMasked } from "../core/schema.ts";
import { errorColumn } from "../sketches/watched/model-errors.ts";
import { leafFields } from "../sketches/leaf-columns.ts";

/** What each check of a contract can be of, by what the check calls its column. */
export function checkedFields(contract: Contract): ReadonlyMap<string, Field> {
  const columns = new Map([allFields, ...leafFields(contract.fields)].map((field) => [field.path, field]));
  const segments = (contract.drift?.checks ?? []).flatMap((check) => segmentField(check, columns) ?? []);
  const models = (contract.drift?.checks ?? []).flatMap((check) => errorField(check, columns) ?? []);
  return new Map([...columns, ...[...segments, ...models].map((field) => [field.path, field] as const)]);
}

/** A segment is as classified as its column, or as what its rows are told by. */
function segmentField({ column, segment }: DriftCheckPlan, columns: ReadonlyMap<string, Field>): Field | null {
  const field = columns.get(segment?.of ?? "");
  if (field === undefined || segment === undefined) return null;
  const told = conditionPaths(segment.where).flatMap((path) => columns.get(path) ?? []);
  const classification = [field, ...told].find(isMasked)?.classification ?? null;
  return { ...field, path: column, classification };
}

/** Errors are as classified as the prediction, or as the label. */
function errorField({ column, model }: DriftCheckPlan, columns: ReadonlyMap<string, Field>): Field | null {
  const [prediction, label] = [columns.get(model?.prediction ?? ""), columns.get(model?.label ?? "")];
  if (prediction === undefined || label === undefined) return null;
  return { ...errorColumn(column), classification: [prediction, label].find(isMasked)?.classification ?? null };
}
