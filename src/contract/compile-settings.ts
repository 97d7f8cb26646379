import type { Contract, Policies, WindowLimits } from "../core/contract.ts";
import { checkShape } from "./check-shape.ts";
import type { Compilation } from "./compilation.ts";
import { compileDrift } from "./compile-drift.ts";
import { columnNamed } from "./compile-where.ts";
import type { Findings } from "./findings.ts";
import { child, items, numberAt, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { settingDefaults } from "./setting-defaults.ts";
import { datasetSettings } from "./settings-shape.ts";

/** The settings node of a schema object (the value of its custom property `sluice`), checked and without what is wrong in it; null where there is none. */
export function findSettings(findings: Findings, schema: Node): Node | null {
  const found = items(schema, "customProperties").filter((each) => textAt(each, "property") === "sluice");
  const first = found[0];
  if (first === undefined) return null;
  const second = found[1];
  if (second !== undefined)
    findings.error("settings-repeated", second.at, `the custom property "sluice" stands twice`, "put all settings into one");
  const value = child(first, "value");
  if (value === null) return null;
  return checkShape(value, datasetSettings, "sluice", { findings, version: "3.2" });
}

type Settings = Pick<Contract, "window" | "policies" | "drift" | "onBreach">;

/** The settings as typed values, defaults filled in; columns that they name are checked against the fields. */
export function compileSettings(compilation: Compilation, node: Node | null): Settings {
  return {
    window: windowLimits(child(node, "window")),
    policies: policies(compilation, node),
    drift: compileDrift(compilation, child(node, "drift")),
    onBreach: textAt(node, "onBreach") === "stop" ? "stop" : "hold",
  };
}

function windowLimits(node: Node | null): WindowLimits {
  const defaults = settingDefaults.window;
  return {
    rows: numberAt(node, "rows") ?? defaults.rows,
    bytes: sizeAt(node, "bytes") ?? defaults.bytes,
    seconds: numberAt(node, "seconds") ?? defaults.seconds,
  };
}

function policies(compilation: Compilation, node: Node | null): Policies {
  return {
    tombstone: textAt(node, "tombstones") === "skip" ? "skip" : "quarantine",
    undecodable: "quarantine",
    oversized: { bytes: sizeAt(child(node, "oversized"), "bytes") ?? settingDefaults.oversizedBytes, action: "quarantine" },
    late: latePolicy(compilation, child(node, "late")),
    unknownFields: (textAt(node, "unknownFields") as Policies["unknownFields"] | null) ?? "ignore",
    key: keyPolicy(compilation, child(node, "key")),
  };
}

function latePolicy(compilation: Compilation, node: Node | null): Policies["late"] {
  if (node === null) return null;
  const column = textAt(node, "column") ?? "";
  const field = columnNamed(compilation, column, child(node, "column") ?? node);
  if (field !== null && field.type.kind !== "date" && field.type.kind !== "timestamp") {
    compilation.findings.error(
      "column-type",
      placeOf(node, "column"),
      `"${column}" is no date or timestamp, so no record can be late by it`,
    );
  }
  return {
    column,
    seconds: numberAt(node, "seconds") ?? 0,
    action: (textAt(node, "action") as "promote" | "quarantine" | "skip" | null) ?? "quarantine",
  };
}

/** A key that is text in one text column; every other is part of the record's plan. */
function keyPolicy(compilation: Compilation, node: Node | null): Policies["key"] {
  const name = textAt(node, "column");
  if (node === null || name === null || (textAt(node, "format") ?? "text") !== "text") return { action: "ignore" };
  return compilation.fields.get(name)?.type.kind === "string" && !name.includes(".") ? { action: "column", name } : { action: "ignore" };
}

const units: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function sizeAt(node: Node | null, key: string): number | null {
  const text = textAt(node, key);
  if (text === null) return numberAt(node, key);
  const match = /^([0-9]+) ?([A-Za-z]+)$/.exec(text);
  return match === null ? null : Number(match[1]) * (units[match[2] as string] ?? 1);
}
