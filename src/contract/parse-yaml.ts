import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import type { Alias, Document, Node as YamlNode, Pair, Scalar } from "yaml";
import type { SourceLocation } from "../core/errors.ts";
import type { Findings } from "./findings.ts";
import type { Entry, Node } from "./node.ts";
import { placeWithin, type ScalarStyle } from "./place-within.ts";

/** Limits on a document, before and after its aliases are expanded. */
export const documentLimits = { bytes: 4 * 1024 * 1024, nodes: 200_000, depth: 64 } as const;

interface Walk {
  readonly file: string;
  readonly text: string;
  readonly lines: LineCounter;
  /** Anchors seen so far: an alias means the latest one before it. */
  readonly anchors: Map<string, YamlNode>;
  readonly findings: Findings;
  nodes: number;
}

/**
 * Parses YAML 1.2 (or JSON) into nodes with places. Duplicate keys, several documents, tags outside the core schema and documents beyond
 * `documentLimits` are errors in `findings`; null where nothing usable came out.
 */
export function parseYaml(text: string, file: string, findings: Findings): Node | null {
  const start: SourceLocation = { file, line: 1, column: 1 };
  if (Buffer.byteLength(text) > documentLimits.bytes) {
    findings.error("document-too-large", start, `the document has more than ${documentLimits.bytes} bytes`);
    return null;
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    // A %YAML 1.1 directive must not bring back its booleans, dates and merge keys.
    schema: "core",
    merge: false,
    uniqueKeys: true,
    version: "1.2",
    stringKeys: false,
  });
  if (!Array.isArray(documents) || documents.length === 0) {
    findings.error("document-empty", start, "the document is empty");
    return null;
  }
  const document = documents[0] as Document;
  const place = (offset: number): SourceLocation => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  let broken = false;
  for (const error of document.errors) {
    const at = place(error.pos[0]);
    if (error.code === "DUPLICATE_KEY") findings.error("duplicate-key", at, "the key stands twice in one mapping", "remove one of them");
    else {
      broken = true;
      findings.error("yaml-syntax", at, `not YAML: ${error.message}`);
    }
  }
  for (const warning of document.warnings) findings.error("yaml-tag", place(warning.pos[0]), `not plain YAML: ${warning.message}`);
  const second = documents[1];
  if (second !== undefined && !broken)
    findings.error("several-documents", place(second.range[0]), "the file holds more than one YAML document");
  if (broken) return null;
  if (document.contents === null) {
    findings.error("document-empty", start, "the document is empty");
    return null;
  }
  return convert({ file, text, lines, anchors: new Map(), findings, nodes: 0 }, document.contents, 0, null);
}

function placeIn(walk: Walk, node: { range?: [number, number, number] | null | undefined }): SourceLocation {
  const { line, col } = walk.lines.linePos(node.range?.[0] ?? 0);
  return { file: walk.file, line: Math.max(1, line), column: Math.max(1, col) };
}

/** `at` is given below an alias: what it stands for is reported where it is used. */
function convert(walk: Walk, yaml: YamlNode | null, depth: number, at: SourceLocation | null): Node | null {
  if (yaml === null) return { kind: "scalar", value: null, text: "", at: at ?? { file: walk.file, line: 1, column: 1 } };
  const place = at ?? placeIn(walk, yaml);
  walk.nodes++;
  if (walk.nodes === documentLimits.nodes + 1) {
    walk.findings.error(
      "document-too-large",
      place,
      `the document has more than ${documentLimits.nodes} values once its aliases are expanded`,
    );
  }
  if (walk.nodes > documentLimits.nodes) return null;
  if (depth > documentLimits.depth) {
    walk.findings.error("document-too-deep", place, `the document is nested more than ${documentLimits.depth} levels deep`);
    return null;
  }
  if (isAlias(yaml)) return convertAlias(walk, yaml, depth, place);
  noteAnchor(walk, yaml, at);
  if (isScalar(yaml)) return withInside(walk, yaml, convertScalar(walk, yaml.value, yaml.source, place), at);
  if (isSeq(yaml)) {
    const items: Node[] = [];
    for (const item of yaml.items) {
      const node = convert(walk, item as YamlNode, depth + 1, at);
      if (node === null) return null;
      items.push(node);
    }
    return { kind: "list", items, at: place };
  }
  if (isMap(yaml)) {
    const entries = new Map<string, Entry>();
    for (const pair of yaml.items as Pair<YamlNode, YamlNode | null>[]) {
      const entry = convertPair(walk, pair, depth, at);
      if (entry === null) return null;
      if (!entries.has(entry.key)) entries.set(entry.key, entry);
    }
    return { kind: "object", entries, at: place };
  }
  walk.findings.error("yaml-syntax", place, "not a value, a list or a mapping");
  return null;
}

function noteAnchor(walk: Walk, yaml: YamlNode | null, at: SourceLocation | null): void {
  const anchor = (yaml as { anchor?: string } | null)?.anchor;
  // Inside an expanded alias the anchors are old ones, and must not hide newer ones of the same name.
  if (anchor !== undefined && at === null) walk.anchors.set(anchor, yaml as YamlNode);
}

function convertPair(walk: Walk, pair: Pair<YamlNode, YamlNode | null>, depth: number, at: SourceLocation | null): Entry | null {
  const keyNode = isAlias(pair.key) ? (walk.anchors.get(pair.key.source) ?? pair.key) : pair.key;
  if (!isAlias(keyNode)) noteAnchor(walk, keyNode, at);
  const keyAt = at ?? placeIn(walk, pair.key);
  if (keyNode !== null && !isScalar(keyNode)) {
    walk.findings.error("yaml-key", keyAt, "a key must be plain text");
    return null;
  }
  const key = keyNode === null ? "" : keyText(keyNode.value);
  const value = pair.value === null ? convertScalar(walk, null, "", keyAt) : convert(walk, pair.value, depth + 1, at);
  return value === null ? null : { key, at: keyAt, value };
}

/** As JSON would have the key: numbers and booleans become their text, nothing becomes empty. */
function keyText(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? value.toString() : "";
}

function convertAlias(walk: Walk, alias: Alias, depth: number, place: SourceLocation): Node | null {
  const target = walk.anchors.get(alias.source);
  if (target === undefined) {
    walk.findings.error("yaml-syntax", place, `the alias "${alias.source}" stands for nothing`);
    return null;
  }
  // A cycle ends at the depth limit, a bomb at the node limit.
  return convert(walk, target, depth + 1, place);
}

function convertScalar(walk: Walk, value: unknown, source: string | undefined, at: SourceLocation): Node | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") {
    return { kind: "scalar", value, text: typeof value === "string" ? value : (source ?? String(value)), at };
  }
  if (typeof value === "number") return { kind: "scalar", value, text: numberText(source, value), at };
  walk.findings.error("yaml-tag", at, "not plain text, a number, true, false or null");
  return null;
}

/** A text with the places of its characters, unless it came by an alias. */
function withInside(walk: Walk, yaml: Scalar, node: Node | null, at: SourceLocation | null): Node | null {
  const [from] = yaml.range ?? [];
  if (node?.kind !== "scalar" || typeof node.value !== "string" || at !== null || from === undefined) return node;
  const { value } = node;
  const style: ScalarStyle = yaml.type ?? "PLAIN";
  const within = (offset: number): SourceLocation => {
    const { line, col } = walk.lines.linePos(placeWithin(walk.text, from, style, value, offset));
    return { file: walk.file, line, column: col };
  };
  return { ...node, within };
}

/** The number as JSON would write it: the source, unless YAML wrote it in a way that JSON has not (hexadecimal, a leading plus or point). */
function numberText(source: string | undefined, value: number): string {
  if (source !== undefined && /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/.test(source)) return source;
  if (source !== undefined && /^[-+]?[0-9]+$/.test(source)) return BigInt(source.replace(/^\+/, "")).toString();
  if (source !== undefined && /^0[xo][0-9a-fA-F]+$/.test(source)) return BigInt(source).toString();
  return String(value);
}
