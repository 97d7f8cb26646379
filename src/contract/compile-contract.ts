import { createHash } from "node:crypto";
import { dirname, join } from "node:path/posix";
import type { Contract, Owner } from "../core/contract.ts";
import type { RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { leaveUnenforced } from "./compilation.ts";
import type { Compilation, FieldSite, RuleDraft } from "./compilation.ts";
import { canBeUnique, compileFieldRules, fieldRule } from "./compile-field-rules.ts";
import { checkSchemaDrift } from "./compile-drift.ts";
import { compileFields } from "./compile-fields.ts";
import { compileSchemaLinks, referencedFiles } from "./compile-json-schema.ts";
import { checkLostQuality, compileQuality } from "./compile-quality.ts";
import { compileIncidents } from "./compile-incidents.ts";
import { compileRecord } from "./compile-record.ts";
import { needsUnknownFields } from "./compile-row-check.ts";
import { compileRetention, keepsPromise, retentionPromise } from "./compile-retention.ts";
import { compileSettings, findSettings } from "./compile-settings.ts";
import { compileTable } from "./compile-table.ts";
import type { Findings } from "./findings.ts";
import { booleanAt, child, emptyNode, items, numberAt, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import type { OdcsSource } from "./read-document.ts";

/** A file's bytes and its text. */
export interface SourceFile {
  readonly bytes: Uint8Array;
  readonly text: string;
}

export interface ContractSource {
  /** The path, for messages. */
  readonly file: string;
  readonly main: SourceFile;
  /** Files that the document refers to, by their reference as written. */
  readonly references: ReadonlyMap<string, SourceFile>;
}

/**
 * Compiles one schema object of a document. Pure. Faults go to `findings`; where one is an error, or the document is not whole, the result
 * must not be used.
 */
export function compileContract(source: ContractSource, document: OdcsSource, schema: Node, findings: Findings): Contract {
  const settings = findSettings(findings, schema);
  const compilation: Compilation = {
    findings,
    dataset: textAt(schema, "name") ?? "",
    unsupported: textAt(settings, "unsupported") === "refuse" ? "refuse" : "list",
    unenforced: [],
    references: new Map([...source.references].map(([url, each]) => [url, each.text])),
    fields: new Map(),
    lost: [],
  };
  if (!document.whole && child(schema, "properties") === null) compilation.lost.push({ path: "", node: emptyNode(schema) });
  const { fields, sites } = compileFields(compilation, schema, "");
  const rules = compileRules(compilation, schema, sites);
  const dataset = textAt(schema, "name") ?? "";
  if (dataset.trim() === "" && child(schema, "name") !== null)
    findings.error("name-empty", placeOf(schema, "name"), "a dataset needs a name");
  if (fields.length === 0) findings.warning("no-columns", schema.at, `"${dataset}" has no properties: records have no columns`);
  const { root } = document;
  const promise = retentionPromise(root, schema);
  noteDocument(compilation, root, schema, keepsPromise(settings) ? (promise?.node ?? null) : null);
  const compiled = compileSettings(compilation, settings);
  requireUnknownFields(findings, rules, compiled.policies);
  const decoding = compileRecord(compilation, { root, settings, fields });
  checkSchemaDrift(compilation, settings, decoding);
  return {
    id: textAt(root, "id") ?? "",
    name: textAt(root, "name"),
    version: textAt(root, "version") ?? "",
    hash: contractHash(source, schema),
    text: source.main.text,
    file: source.file,
    references: referencedFiles(schema).map(({ url }) => ({
      path: join(dirname(source.file), url),
      text: source.references.get(url)?.text ?? "",
    })),
    dataset,
    topic: textAt(schema, "physicalName") ?? dataset,
    description: textAt(schema, "description") ?? textAt(child(root, "description"), "purpose"),
    owners: owners(child(root, "team")),
    fields,
    ...decoding,
    rules,
    ...compiled,
    incidents: compileIncidents(settings),
    table: compileTable(compilation, settings, sites),
    retention: compileRetention(compilation, settings, promise),
    unenforced: compilation.unenforced,
  };
}

/** `sha256:<hex>` over the document's bytes and those of the files that this schema object refers to, in document order, each preceded by its length. */
function contractHash(source: ContractSource, schema: Node): string {
  const hash = createHash("sha256");
  const referenced = referencedFiles(schema).flatMap(({ url }) => source.references.get(url) ?? []);
  if (referenced.length === 0) return `sha256:${hash.update(source.main.bytes).digest("hex")}`;
  for (const { bytes } of [source.main, ...referenced]) hash.update(`${bytes.byteLength}:`).update(bytes);
  return `sha256:${hash.digest("hex")}`;
}

/** Rules on fields that the contract does not name see nothing unless those are kept. */
function requireUnknownFields(findings: Findings, rules: readonly RulePlan[], { unknownFields }: Contract["policies"]): void {
  if (unknownFields === "keep") return;
  for (const { id, check, location } of rules)
    if (needsUnknownFields(check))
      findings.error("unknown-not-kept", location, `"${id}" judges unknown fields, and the dataset drops them`, "unknownFields: keep");
}

function compileRules(compilation: Compilation, schema: Node, sites: readonly FieldSite[]): RulePlan[] {
  const drafts: RuleDraft[] = [];
  for (const site of sites) drafts.push(...compileFieldRules(compilation, site));
  drafts.push(...primaryKeyRule(compilation, sites));
  for (const site of sites) drafts.push(...compileQuality(compilation, site.node, site.field));
  for (const { node } of compilation.lost) checkLostQuality(compilation, node);
  drafts.push(...compileQuality(compilation, schema, null), ...compileSchemaLinks(compilation, schema));
  return nameRules(compilation, drafts);
}

function primaryKeyRule(compilation: Compilation, sites: readonly FieldSite[]): RuleDraft[] {
  const parts = sites
    .filter(({ node }) => booleanAt(node, "primaryKey") === true)
    .map((site, order) => ({ ...site, order, position: numberAt(site.node, "primaryKeyPosition") ?? -1 }));
  parts.sort(
    (a, b) =>
      (a.position < 1 ? Number.MAX_SAFE_INTEGER : a.position) - (b.position < 1 ? Number.MAX_SAFE_INTEGER : b.position) ||
      a.order - b.order,
  );
  const first = parts[0];
  if (first === undefined) return [];
  // A single key that is `unique` too has its rule already.
  if (parts.length === 1 && booleanAt(first.node, "unique") === true) return [];
  const at = placeOf(first.node, "primaryKey");
  if (!parts.every(({ field, node }) => canBeUnique(compilation, field, placeOf(node, "primaryKey")))) return [];
  const columns = parts.map(({ field }) => field.path);
  const rule = fieldRule(first.field, { family: "duplicate", columns, keep: "first" }, at, "uniqueness");
  return [{ ...rule, givenId: "primaryKey", path: columns.length === 1 ? (columns[0] as string) : null }];
}

/** Gives every rule its index and an id that is unique in the contract: the given one if it is free, then `path.id`, then a number behind it. */
function nameRules(compilation: Compilation, drafts: readonly RuleDraft[]): RulePlan[] {
  const taken = new Set<string>();
  const given = new Map<RuleDraft, string>();
  for (const draft of drafts) {
    if (draft.givenId === null || draft.givenId === "") continue;
    const id = freeId(taken, [draft.givenId, `${draft.path ?? "dataset"}.${draft.givenId}`]);
    if (id !== draft.givenId) {
      const message = `the rule id "${draft.givenId}" is taken, so this rule is called "${id}"`;
      compilation.findings.warning("rule-id-repeated", draft.location, message, "give each rule an id of its own");
    }
    taken.add(id);
    given.set(draft, id);
  }
  return drafts.map((draft, index) => {
    const id = given.get(draft) ?? freeId(taken, [`${draft.path ?? "dataset"}.${draft.check.family}`]);
    taken.add(id);
    const { givenId: _, ...rest } = draft;
    return { index, id, ...rest };
  });
}

function freeId(taken: ReadonlySet<string>, wanted: readonly string[]): string {
  for (const id of wanted) if (!taken.has(id)) return id;
  const last = wanted[wanted.length - 1] as string;
  let number = 2;
  while (taken.has(`${last}-${number}`)) number++;
  return `${last}-${number}`;
}

/** Members still in the team whose role says owner, else all members, else the team itself. */
function owners(team: Node | null): Owner[] {
  const members = (team?.kind === "list" ? team.items : items(team, "members")).filter((each) => textAt(each, "dateOut") === null);
  const all = members.map((each) => ({ name: textAt(each, "name") ?? textAt(each, "username") ?? "", role: textAt(each, "role") }));
  const named = all.filter(({ role }) => role !== null && role.toLowerCase().includes("owner"));
  if (named.length > 0) return named;
  if (all.length > 0) return all;
  const name = textAt(team, "name");
  return name === null ? [] : [{ name, role: null }];
}

/** Notes what the document says and nothing here enforces; `kept`: the promise of retention that a rule of the dataset goes by. */
function noteDocument(compilation: Compilation, root: Node, schema: Node, kept: Node | null): void {
  for (const server of items(root, "servers")) {
    leaveUnenforced(
      compilation,
      server.at,
      `server ${textAt(server, "server")} (${textAt(server, "type")}): brokers and catalogs come from Sluice's configuration`,
    );
  }
  for (const promise of items(root, "slaProperties").filter((each) => each !== kept))
    leaveUnenforced(compilation, promise.at, `service level: ${textAt(promise, "property")}`);
  if (items(root, "roles").length > 0) leaveUnenforced(compilation, placeOf(root, "roles"), "roles: Sluice grants no access");
  if (items(schema, "relationships").length > 0) leaveUnenforced(compilation, placeOf(schema, "relationships"), "relationships");
  if (textAt(schema, "logicalType") === "blob")
    leaveUnenforced(compilation, placeOf(schema, "logicalType"), "blob: records are taken as JSON objects");
  for (const property of items(root, "customProperties")) {
    if (textAt(property, "property") !== "sluice") continue;
    compilation.findings.error(
      "settings-misplaced",
      property.at,
      `Sluice's settings belong to a dataset`,
      "move this to the schema object's customProperties",
    );
  }
}

/** Fields of a contract by path, nested ones too. */
export function fieldsByPath(fields: readonly Field[]): Map<string, Field> {
  const found = new Map<string, Field>();
  const visit = (field: Field): void => {
    found.set(field.path, field);
    if (field.type.kind === "struct") field.type.fields.forEach(visit);
    if (field.type.kind === "list") visit(field.type.element);
    if (field.type.kind === "map") visit(field.type.value);
  };
  fields.forEach(visit);
  return found;
}
