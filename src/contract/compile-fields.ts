import { compileTimeFormat, formatHasOffset, type TimeUnit } from "../core/time-format.ts";
import type { Field, FieldType } from "../core/schema.ts";
import { cannotEnforce } from "./compilation.ts";
import type { Compilation, FieldSite } from "./compilation.ts";
import { booleanAt, child, emptyNode, items, lostItems, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { hasLostDigits, readPhysicalType } from "./physical-type.ts";
import type { PhysicalType } from "./physical-type.ts";

interface Place {
  readonly name: string;
  readonly sourceName: string;
  readonly path: string;
}

/** The fields of a schema object or nested object, and every field below it with its node, in document order. */
export function compileFields(
  compilation: Compilation,
  parent: Node,
  prefix: string,
): { readonly fields: readonly Field[]; readonly sites: readonly FieldSite[] } {
  const fields: Field[] = [];
  const sites: FieldSite[] = [];
  const names = new Set<string>();
  const sources = new Map<string, string>();
  for (const node of lostItems(parent, "properties")) {
    compilation.lost.push({ path: [prefix, textAt(node, "name") ?? ""].filter((each) => each !== "").join("."), node });
  }
  for (const node of items(parent, "properties")) {
    const name = textAt(node, "name") ?? "";
    const sourceName = textAt(node, "physicalName") ?? name;
    const at = placeOf(node, "name");
    if (name === "") compilation.findings.error("name-empty", at, "a property needs a name");
    else if (names.has(name)) compilation.findings.error("name-repeated", at, `two properties are called "${name}"`);
    else if (prefix === "" && name.toLowerCase().startsWith("_sluice_")) {
      compilation.findings.error("name-reserved", at, `"${name}" can't be used: names that start with _sluice_ are Sluice's own columns`);
    } else if (sources.has(sourceName)) {
      const other = sources.get(sourceName) as string;
      compilation.findings.error(
        "name-repeated",
        at,
        `"${name}" and "${other}" both read "${sourceName}" of the record`,
        "see physicalName",
      );
    }
    names.add(name);
    sources.set(sourceName, name);
    fields.push(compileField(compilation, node, { name, sourceName, path: prefix === "" ? name : `${prefix}.${name}` }, sites));
  }
  return { fields, sites };
}

function compileField(compilation: Compilation, node: Node, place: Place, sites: FieldSite[]): Field {
  const position = sites.length;
  const physical = readPhysical(compilation, node, place);
  const type = fieldType(compilation, node, place, physical, sites);
  const field: Field = {
    ...place,
    type,
    required: booleanAt(node, "required") === true || booleanAt(node, "primaryKey") === true,
    doc: textAt(node, "description"),
    classification: textAt(node, "classification"),
    format: timeFormat(compilation, node, type),
  };
  if (compilation.fields.has(place.path)) {
    const at = placeOf(node, "name");
    compilation.findings.error("name-repeated", at, `the path "${place.path}" stands for two columns`, "rename one of them");
  }
  compilation.fields.set(place.path, field);
  sites.splice(position, 0, { field, node });
  return field;
}

function readPhysical(compilation: Compilation, node: Node, place: Place): PhysicalType | null {
  const text = textAt(node, "physicalType");
  if (text === null) return null;
  const physical = readPhysicalType(text);
  const { findings } = compilation;
  const at = placeOf(node, "physicalType");
  if (physical !== null && physical.problem !== null)
    findings.warning("physical-type-approximate", at, `${place.path}: ${physical.problem}`);
  if (hasLostDigits(text)) {
    const hint = "timestamptz_ns or timestamp_ns keep nanoseconds, in tables of Iceberg's format version 3";
    findings.note("timestamp-unit", at, `${place.path}: ${text} is kept in microseconds, and finer values are invalid`, hint);
  }
  return physical;
}

function fieldType(compilation: Compilation, node: Node, place: Place, physical: PhysicalType | null, sites: FieldSite[]): FieldType {
  switch (textAt(node, "logicalType")) {
    case "boolean":
      return { kind: "boolean" };
    case "date":
      return { kind: "date" };
    case "time":
      return { kind: "time" };
    case "timestamp":
      return { kind: "timestamp", zoned: isZoned(node, physical), unit: physical?.unit ?? "micros" };
    case "string":
      return { kind: isBinary(node, physical) ? "binary" : physical?.kind === "uuid" ? "uuid" : "string" };
    case "integer":
      return integerType(node, physical);
    case "number":
      return numberType(node, physical);
    case "object":
      return objectType(compilation, node, place, sites);
    case "array":
      return listType(compilation, node, place, sites);
    case "map":
      return mapType(compilation, node, place, sites);
    case "vector":
      return vectorType(compilation, node, place, sites);
    default:
      return untyped(compilation, node, place, physical, sites);
  }
}

/** ODCS reads texts without a zone as UTC unless `timezone` is false; a physical type that says otherwise counts where `timezone` is not given. */
function isZoned(node: Node, physical: PhysicalType | null): boolean {
  return booleanAt(child(node, "logicalTypeOptions"), "timezone") ?? physical?.zoned ?? true;
}

function isBinary(node: Node, physical: PhysicalType | null): boolean {
  const format = textAt(child(node, "logicalTypeOptions"), "format");
  return physical?.kind === "binary" || format === "binary" || format === "byte";
}

function integerType(node: Node, physical: PhysicalType | null): FieldType {
  if (physical?.kind === "int" || physical?.kind === "long") return { kind: physical.kind };
  if (physical !== null && physical.decimal !== null && physical.decimal.scale === 0) return { kind: "decimal", ...physical.decimal };
  switch (textAt(child(node, "logicalTypeOptions"), "format")) {
    case "i8":
    case "i16":
    case "i32":
    case "u8":
    case "u16":
      return { kind: "int" };
    case "u64":
      return { kind: "decimal", precision: 20, scale: 0 };
    case "i128":
    case "u128":
      return { kind: "decimal", precision: 38, scale: 0 };
    default:
      return { kind: "long" };
  }
}

function numberType(node: Node, physical: PhysicalType | null): FieldType {
  if (physical !== null && physical.decimal !== null) return { kind: "decimal", ...physical.decimal };
  if (physical?.kind === "int" || physical?.kind === "long" || physical?.kind === "float" || physical?.kind === "double") {
    return { kind: physical.kind };
  }
  return { kind: textAt(child(node, "logicalTypeOptions"), "format") === "f32" ? "float" : "double" };
}

function objectType(compilation: Compilation, node: Node, place: Place, sites: FieldSite[]): FieldType {
  if (!hasProperties(node)) return { kind: "json" };
  const nested = compileFields(compilation, node, place.path);
  sites.push(...nested.sites);
  return { kind: "struct", fields: nested.fields };
}

function hasProperties(node: Node): boolean {
  return items(node, "properties").length + lostItems(node, "properties").length > 0;
}

function listType(compilation: Compilation, node: Node, place: Place, sites: FieldSite[]): FieldType {
  return { kind: "list", element: inner(compilation, child(node, "items"), "element", place, node, sites) };
}

function mapType(compilation: Compilation, node: Node, place: Place, sites: FieldSite[]): FieldType {
  const map = child(node, "map");
  const keyType = textAt(child(map, "key"), "logicalType");
  if (keyType !== null && keyType !== "string") {
    const at = placeOf(child(map, "key") as Node, "logicalType");
    cannotEnforce(compilation, "map-key-type", at, `${place.path}: keys of maps are text, not ${keyType}`, "use logicalType: string");
  }
  return { kind: "map", value: inner(compilation, child(map, "value"), "value", place, node, sites) };
}

function vectorType(compilation: Compilation, node: Node, place: Place, sites: FieldSite[]): FieldType {
  const of = textAt(child(node, "logicalTypeOptions"), "elementType") ?? "float32";
  const kind = of === "float64" ? "double" : of.includes("float") ? "float" : "int";
  const element: Field = { ...innerPlace("element", place), type: { kind }, required: true, doc: null, classification: null, format: null };
  compilation.fields.set(element.path, element);
  sites.push({ field: element, node: emptyNode(node) });
  return { kind: "list", element };
}

function inner(compilation: Compilation, node: Node | null, name: string, place: Place, owner: Node, sites: FieldSite[]): Field {
  return compileField(compilation, node ?? emptyNode(owner), innerPlace(name, place), sites);
}

function innerPlace(name: string, place: Place): Place {
  return { name, sourceName: name, path: `${place.path}[]` };
}

function untyped(compilation: Compilation, node: Node, place: Place, physical: PhysicalType | null, sites: FieldSite[]): FieldType {
  if (hasProperties(node)) return objectType(compilation, node, place, sites);
  if (child(node, "items") !== null) return listType(compilation, node, place, sites);
  if (physical === null) {
    compilation.findings.note(
      "no-type",
      placeOf(node, "name"),
      `${place.path === "" ? "a property" : place.path} has no logicalType that Sluice knows: any JSON value is taken, and kept as its text`,
      "add a logicalType",
    );
    return { kind: "json" };
  }
  if (physical.kind === "decimal" && physical.decimal !== null) return { kind: "decimal", ...physical.decimal };
  if (physical.kind === "timestamp") return { kind: "timestamp", zoned: isZoned(node, physical), unit: physical.unit };
  return { kind: physical.kind } as FieldType;
}

/** The checked format of a date, time or timestamp; null for ISO 8601 and for other types. */
function timeFormat(compilation: Compilation, node: Node, type: FieldType): string | null {
  if (type.kind !== "date" && type.kind !== "time" && type.kind !== "timestamp") return null;
  const options = child(node, "logicalTypeOptions");
  const format = textAt(options, "format");
  if (format !== null) {
    const compiled = compileTimeFormat({ format, ...timeUnit(type) });
    if ("problem" in compiled) {
      const at = (child(options, "format") as Node).at;
      const hint = "letters: y u M d D H h a m s S E X x Z, 'literals' and [optional] parts";
      cannotEnforce(compilation, "time-format", at, `the format "${format}" can't be read: ${compiled.problem}`, hint);
      return null;
    }
  }
  checkTimeZone(compilation, options, format, type);
  return format;
}

function checkTimeZone(compilation: Compilation, options: Node | null, format: string | null, type: FieldType): void {
  const zone = textAt(options, "defaultTimezone");
  if (zone === null || ["etc/utc", "utc", "z", "gmt", "etc/gmt", "+00:00"].includes(zone.toLowerCase())) return;
  if (type.kind !== "timestamp" || !type.zoned || (format !== null && formatHasOffset(format))) return;
  const at = (child(options, "defaultTimezone") as Node).at;
  const hint = "use a format with an offset (XXX), or timezone: false to keep local times";
  cannotEnforce(compilation, "time-zone", at, `texts without an offset are read as UTC, not as ${zone}`, hint);
}

/** The unit of a date, time or timestamp type, as `compileTimeFormat` takes it. */
export function timeUnit(type: FieldType): { readonly unit: TimeUnit; readonly zoned: boolean } {
  if (type.kind === "date") return { unit: "days", zoned: false };
  if (type.kind === "time") return { unit: "dayMicros", zoned: false };
  const unit = type.kind === "timestamp" && type.unit === "nanos" ? "epochNanos" : "epochMicros";
  return { unit, zoned: type.kind === "timestamp" && type.zoned };
}
