import type { Findings } from "./findings.ts";
import { nearestName, suggestion } from "./nearest-name.ts";
import { placeOf, toPlain } from "./node.ts";
import type { Entry, ListNode, Node, ObjectNode } from "./node.ts";
import type { Key, Keys, MoreKeys, ObjectShape, OdcsVersion, Shape } from "./shape.ts";

interface Check {
  readonly findings: Findings;
  readonly version: OdcsVersion;
}

/**
 * Checks a value against a shape and adds every fault, with its place and what to write instead. `where` names the value for people. Returns
 * the value without what is wrong in it, so that the rest can be judged; null where nothing is left to judge.
 */
export function checkShape(node: Node, shape: Shape, where: string, check: Check): Node | null {
  switch (shape.type) {
    case "any":
      return node;
    case "named":
      return checkShape(node, shape.shape(), where, check);
    case "byVersion":
      return checkShape(node, shapeOf(shape, check.version), where, check);
    case "either": {
      const fitting = shape.of.find((each) => matchesType(node, each, check.version));
      return fitting === undefined ? wrongType(node, shape, where, check) : checkShape(node, fitting, where, check);
    }
    default:
      return matchesType(node, shape, check.version) ? checkValue(node, shape, where, check) : wrongType(node, shape, where, check);
  }
}

function checkValue(node: Node, shape: Shape, where: string, check: Check): Node | null {
  if (shape.type === "list") return checkList(node as ListNode, shape, where, check);
  if (shape.type === "object") return checkObject(node as ObjectNode, shape, where, check);
  const before = check.findings.list.length;
  if (shape.type === "string") checkString(node, shape, where, check);
  else if (shape.type === "number" || shape.type === "integer") {
    const value = (node as { value: number }).value;
    if (shape.min !== undefined && value < shape.min) {
      check.findings.error("number-too-small", node.at, `${where} must be at least ${shape.min}, not ${value}`);
    }
    if (shape.max !== undefined && value > shape.max) {
      check.findings.error("number-too-large", node.at, `${where} must be at most ${shape.max}, not ${value}`);
    }
    if (shape.above !== undefined && value <= shape.above) {
      check.findings.error("number-too-small", node.at, `${where} must be greater than ${shape.above}, not ${value}`);
    }
  }
  return check.findings.list.length > before ? null : node;
}

function checkString(node: Node, shape: Shape & { type: "string" }, where: string, check: Check): void {
  const value = (node as { value: string }).value;
  if (shape.values !== undefined && !shape.values.includes(value)) {
    const hint = suggestion(value, shape.values) ?? `one of ${shape.values.join(", ")}`;
    check.findings.error("unknown-value", node.at, `${where} can't be "${clip(value)}"`, hint);
  }
  if (shape.pattern !== undefined && !shape.pattern.regex.test(value)) {
    check.findings.error("malformed-value", node.at, `${where} is malformed: "${clip(value)}"`, shape.pattern.words);
  }
  if (shape.nonEmpty === true && value === "") check.findings.error("empty-value", node.at, `${where} is empty`);
}

function checkList(node: ListNode, shape: Shape & { type: "list" }, where: string, check: Check): Node | null {
  const count = node.items.length;
  if (shape.min !== undefined && count < shape.min) {
    check.findings.error("list-too-short", node.at, `${where} needs at least ${plural(shape.min)}, not ${count}`);
  }
  if (shape.max !== undefined && count > shape.max) {
    check.findings.error("list-too-long", node.at, `${where} may have at most ${plural(shape.max)}, not ${count}`);
  }
  if (shape.unique === true) {
    const seen = new Set<string>();
    for (const item of node.items) {
      const text = canonical(toPlain(item));
      if (seen.has(text)) check.findings.error("list-repeats", item.at, `${where} has this entry twice`);
      seen.add(text);
    }
  }
  const checked = node.items.map((item, index) => checkShape(item, shape.of, `${where}[${index}]`, check));
  const sound = checked.filter((each) => each !== null);
  if (sound.length < (shape.min ?? 0) || count > (shape.max ?? count)) return null;
  return { ...node, items: sound, lost: node.items.filter((_, index) => checked[index] === null) };
}

function checkObject(node: ObjectNode, shape: ObjectShape, where: string, check: Check): Node | null {
  const more = shape.more?.(node, check.version);
  const keys: Keys = more === undefined ? shape.keys : { ...shape.keys, ...more.keys };
  const known = Object.keys(keys).filter((name) => isOf(keys[name] as Key, check.version));
  const sound = new Map<string, Entry>();
  const lost: string[] = [];
  for (const [name, entry] of node.entries) {
    const key = Object.hasOwn(keys, name) ? (keys[name] as Key) : undefined;
    if (key !== undefined && isOf(key, check.version)) {
      const value = checkShape(entry.value, key.shape, joined(where, name), check);
      if (value === null) lost.push(name);
      else sound.set(name, { ...entry, value });
    } else if (key !== undefined) {
      check.findings.error("newer-key", entry.at, `"${name}" is not in this version of ODCS`, `it came with apiVersion v3.2.0`);
      lost.push(name);
    } else if (shape.open === true) sound.set(name, entry);
    else {
      const place = more?.elsewhere !== undefined && Object.hasOwn(more.elsewhere, name) ? (more.elsewhere[name] as string) : null;
      const hint = place ?? suggestion(name, known) ?? (known.length <= 12 ? `known here: ${known.join(", ")}` : null);
      check.findings.error("unknown-key", entry.at, `${where === "" ? "a contract" : where} has no "${clip(name)}"`, hint);
      lost.push(nearestName(name, known) ?? name);
    }
  }
  const required = known.filter((name) => isRequired(keys[name] as Key, check.version));
  for (const name of required) {
    if (node.entries.has(name)) continue;
    check.findings.error("missing-key", node.at, `${where === "" ? "the contract" : where} needs "${name}"`, (keys[name] as Key).doc);
    lost.push(name);
  }
  const combines = checkCombination(node, shape, more, where, check);
  const judged =
    shape.soundWithout?.(lost, node) ??
    ![...required, ...(shape.exactlyOne ?? []), ...(more?.exactlyOne ?? [])].some((name) => lost.includes(name));
  return combines && judged ? { ...node, entries: sound } : null;
}

/** Checks which keys stand together; false where they don't go together. */
function checkCombination(node: ObjectNode, shape: ObjectShape, more: MoreKeys | undefined, where: string, check: Check): boolean {
  const before = check.findings.list.length;
  for (const fault of more?.faults ?? []) check.findings.error("keys-conflict", placeOf(node, fault.key), `${where}: ${fault.message}`);
  for (const names of [shape.exactlyOne, more?.exactlyOne]) if (names !== undefined) checkExactlyOne(node, names, where, check);
  if (shape.atLeastOne !== undefined && !shape.atLeastOne.some((name) => node.entries.has(name))) {
    check.findings.error("missing-key", node.at, `${where} needs at least one of ${shape.atLeastOne.join(", ")}`);
  }
  return check.findings.list.length === before;
}

function checkExactlyOne(node: ObjectNode, names: readonly string[], where: string, check: Check): void {
  const present = names.filter((name) => node.entries.has(name));
  if (present.length === 1) return;
  if (present.length === 0) check.findings.error("missing-key", node.at, `${where} needs one of ${names.join(", ")}`);
  else check.findings.error("keys-conflict", placeOf(node, present[1]), `${where} may have only one of ${present.join(", ")}`);
}

function shapeOf(shape: Shape & { type: "byVersion" }, version: OdcsVersion): Shape {
  return version === "3.2" ? shape["3.2"] : shape["3.1"];
}

function isOf(key: Key, version: OdcsVersion): boolean {
  return key.since === undefined || key.since === version;
}

function isRequired(key: Key, version: OdcsVersion): boolean {
  return key.required === true || (key.required === "before3.2" && version !== "3.2");
}

function matchesType(node: Node, shape: Shape, version: OdcsVersion): boolean {
  switch (shape.type) {
    case "any":
      return true;
    case "named":
      return matchesType(node, shape.shape(), version);
    case "byVersion":
      return matchesType(node, shapeOf(shape, version), version);
    case "either":
      return shape.of.some((each) => matchesType(node, each, version));
    case "list":
      return node.kind === "list";
    case "object":
    case "anyObject":
      return node.kind === "object";
    case "scalar":
      return node.kind === "scalar" && isFiniteOrOther(node.value);
    case "integer":
      return node.kind === "scalar" && Number.isInteger(node.value);
    case "number":
      return node.kind === "scalar" && Number.isFinite(node.value);
    default:
      return node.kind === "scalar" && typeof node.value === shape.type;
  }
}

/** JSON has no NaN and no infinities; YAML does. */
function isFiniteOrOther(value: unknown): boolean {
  return typeof value !== "number" || Number.isFinite(value);
}

function wrongType(node: Node, shape: Shape, where: string, check: Check): null {
  const got = nameOfNode(node);
  let hint: string | null = null;
  if (shape.type === "string" && node.kind === "scalar" && node.value !== null) hint = `write it in quotes: "${clip(node.text)}"`;
  if (
    shape.type !== "string" &&
    node.kind === "scalar" &&
    typeof node.value === "string" &&
    node.value !== "" &&
    Number.isFinite(Number(node.value))
  ) {
    if (shape.type === "number" || shape.type === "integer") hint = "write it without quotes";
  }
  if (shape.type === "list" && node.kind !== "list") hint = `write it as a list: each entry on a line of its own, after "- "`;
  check.findings.error("wrong-type", node.at, `${where} must be ${nameOfShape(shape, check.version)}, not ${got}`, hint);
  return null;
}

/** A shape in words, for messages and the reference page. */
export function nameOfShape(shape: Shape, version: OdcsVersion): string {
  switch (shape.type) {
    case "string":
      return "text";
    case "number":
      return "a number";
    case "integer":
      return "a whole number";
    case "boolean":
      return "true or false";
    case "any":
      return "any value";
    case "scalar":
      return "text, a number, true, false or null";
    case "list":
      return "a list";
    case "object":
    case "anyObject":
      return "an object";
    case "named":
      return nameOfShape(shape.shape(), version);
    case "byVersion":
      return nameOfShape(shapeOf(shape, version), version);
    default:
      return [...new Set(shape.of.map((each) => nameOfShape(each, version)))].join(" or ");
  }
}

function nameOfNode(node: Node): string {
  if (node.kind === "list") return "a list";
  if (node.kind === "object") return "an object";
  if (node.value === null) return "nothing";
  return typeof node.value === "string" ? "text" : typeof node.value === "number" ? `the number ${node.text}` : String(node.value);
}

function joined(where: string, name: string): string {
  return where === "" ? name : `${where}.${name}`;
}

function plural(count: number): string {
  return count === 1 ? "1 entry" : `${count} entries`;
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** JSON text that is equal for equal values, whatever the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    each !== null && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : each,
  );
}
