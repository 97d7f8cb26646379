import type { Contract } from "../core/contract.ts";
import { DocumentError, SluiceError } from "../core/errors.ts";
import type { Diagnostic, SourceLocation } from "../core/errors.ts";
import type { FieldType } from "../core/schema.ts";
import { fieldsByPath } from "./compile-contract.ts";
import { loadContract } from "./load-contract.ts";
import type { ReadText } from "./load-contract.ts";

/** What became of a changed contract file. `kept` stays in force; `contract` is to take effect at the next window boundary. */
export type Reload =
  | { readonly kind: "changed"; readonly contract: Contract; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: "unchanged"; readonly kept: Contract }
  | { readonly kind: "broken"; readonly kept: Contract; readonly error: SluiceError };

/** Loads the file of the contract in force again. Never throws: a file that is broken, gone, or no successor of the contract leaves it in force. */
export async function reloadContract(active: Contract, readText: ReadText): Promise<Reload> {
  try {
    const { contract, diagnostics } = await loadContract(active.file, readText, { dataset: active.dataset });
    if (contract.hash === active.hash) return { kind: "unchanged", kept: active };
    const faults = successionFaults(active, contract);
    if (faults.length > 0) throw new DocumentError("CONTRACT_INVALID", faults);
    return { kind: "changed", contract, diagnostics: [...diagnostics, ...versionWarning(active, contract)] };
  } catch (error) {
    if (error instanceof SluiceError) return { kind: "broken", kept: active, error };
    throw error;
  }
}

/** Why a contract can't take another's place on the same table: another topic, or columns whose values would not fit the old ones' type. */
function successionFaults(active: Contract, next: Contract): readonly Diagnostic[] {
  const faults: Diagnostic[] = [];
  const start: SourceLocation = { file: next.file, line: 1, column: 1 };
  const add = (code: string, location: SourceLocation, message: string, hint: string): void => {
    faults.push({ severity: "error", code, message, location, hint });
  };
  if (next.topic !== active.topic) {
    add(
      "topic-changed",
      start,
      `the dataset is fed by "${active.topic}", not by "${next.topic}"`,
      "give the new topic a dataset of its own",
    );
  }
  const before = fieldsByPath(active.fields);
  for (const [path, field] of fieldsByPath(next.fields)) {
    const old = before.get(path);
    if (old === undefined || widens(old.type, field.type)) continue;
    const location = next.rules.find((rule) => rule.path === path)?.location ?? start;
    const message = `"${path}" can't change from ${typeName(old.type)} to ${typeName(field.type)}: the table holds values of the old type`;
    add("type-changed", location, message, "add a column of another name; int may become long, float double, and decimals more precise");
  }
  return faults;
}

/** Iceberg's type promotions (spec, Schema Evolution), with nested types judged by their own paths. */
function widens(old: FieldType, next: FieldType): boolean {
  if (old.kind === "int" && next.kind === "long") return true;
  if (old.kind === "float" && next.kind === "double") return true;
  if (old.kind === "decimal" && next.kind === "decimal") return old.scale === next.scale && next.precision >= old.precision;
  if (old.kind === "timestamp" && next.kind === "timestamp") return old.zoned === next.zoned && old.unit === next.unit;
  return stored(old) === stored(next);
}

/** Times and JSON are stored as text. */
function stored(type: FieldType): string {
  return type.kind === "time" || type.kind === "json" ? "string" : type.kind;
}

function typeName(type: FieldType): string {
  if (type.kind === "decimal") return `decimal(${type.precision}, ${type.scale})`;
  if (type.kind !== "timestamp") return type.kind;
  return `timestamp ${type.zoned ? "with" : "without"} zone${type.unit === "nanos" ? " in nanoseconds" : ""}`;
}

function versionWarning(active: Contract, next: Contract): Diagnostic[] {
  if (next.version !== active.version) return [];
  const location: SourceLocation = { file: next.file, line: 1, column: 1 };
  const message = `the contract changed and is still version ${next.version}; records are told apart by its hash`;
  return [{ severity: "warning", code: "version-unchanged", message, location, hint: "raise the version with every change" }];
}
