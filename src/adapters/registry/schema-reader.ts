import { SluiceError } from "../../core/errors.ts";
import type { RegisteredSchema, SchemaAnswer, SchemaId, SchemaReference } from "../../core/registered-schema.ts";
import type { RegistryReply, RegistryRequests } from "./registry-request.ts";

/** Error codes of the registry's API that say "there is no such thing", each of its own kind. */
const noSubject = 40401;
const noVersion = 40402;
const noSchema = 40403;

const referencesMax = 500;
const referencedCharactersMax = 16 << 20;

interface ReferenceEntry {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

interface SchemaEntry {
  readonly type: RegisteredSchema["type"] | null;
  readonly typeName: string;
  readonly text: string;
  readonly references: readonly ReferenceEntry[];
}

/**
 * The schema of an id with all that it refers to, by Confluent's API (`/schemas/ids`, `/schemas/guids`, `/subjects/{subject}/versions/{version}`). Rejects
 * with REGISTRY_UNAVAILABLE or REGISTRY_REFUSED. A 404 counts as "unknown" only with the registry's own error code: a wrong URL answers 404 too.
 */
export async function readSchema(requests: RegistryRequests, id: SchemaId): Promise<SchemaAnswer> {
  const path = id.includes("-") ? `schemas/guids/${encodeURIComponent(id)}` : `schemas/ids/${id}`;
  const reply = await requests.get(path);
  if (isMissing(reply, [noSchema, noSubject])) {
    return { found: false, fault: "unknown", message: `the schema registry at ${requests.name} has no schema ${id}` };
  }
  const entry = entryOf(requests, path, reply);
  if (entry.type === null) {
    const message = `schema ${id} of the registry at ${requests.name} is of the type ${entry.typeName}, which Sluice does not know`;
    return { found: false, fault: "type", message };
  }
  const collected = new Map<string, SchemaReference>();
  const problem = await collect(requests, entry.references, collected, []);
  if (problem !== null) return { found: false, fault: "reference", message: `schema ${id} can't be used: ${problem}` };
  return { found: true, schema: { type: entry.type, text: entry.text, references: [...collected.values()] } };
}

/** Adds what is referred to, deepest first; answers what is wrong, or null. */
async function collect(
  requests: RegistryRequests,
  references: readonly ReferenceEntry[],
  into: Map<string, SchemaReference>,
  path: readonly string[],
): Promise<string | null> {
  for (const { name, subject, version } of references) {
    if (into.has(name)) continue;
    if (path.includes(name)) return `it refers to itself by way of ${[...path, name].join(" -> ")}`;
    const where = `subjects/${encodeURIComponent(subject)}/versions/${version}`;
    const reply = await requests.get(where);
    if (isMissing(reply, [noSubject, noVersion, noSchema]))
      return `it refers to ${name}, version ${version} of the subject ${subject}, which the registry does not have`;
    const entry = entryOf(requests, where, reply);
    const problem = await collect(requests, entry.references, into, [...path, name]);
    if (problem !== null) return problem;
    into.set(name, { name, text: entry.text });
    const characters = [...into.values()].reduce((sum, each) => sum + each.text.length, 0);
    if (into.size > referencesMax || characters > referencedCharactersMax) {
      return `it refers to more than ${referencesMax} schemas or ${referencedCharactersMax} characters`;
    }
  }
  return null;
}

function isMissing({ status, body }: RegistryReply, codes: readonly number[]): boolean {
  return status === 404 && codes.includes((body as { readonly error_code?: number } | null | undefined)?.error_code ?? 0);
}

const typeNames: Readonly<Record<string, RegisteredSchema["type"]>> = { AVRO: "avro", PROTOBUF: "protobuf", JSON: "json" };

/** The schema in an answer. Throws for answers that are none. */
function entryOf(requests: RegistryRequests, path: string, { status, body }: RegistryReply): SchemaEntry {
  if (status === 401 || status === 403) {
    throw new SluiceError("REGISTRY_REFUSED", `the schema registry at ${requests.name} refuses this worker: it answered ${status}`);
  }
  const found = body as { readonly schema?: unknown; readonly schemaType?: unknown; readonly references?: unknown } | null | undefined;
  if (status !== 200 || typeof found?.schema !== "string") {
    const said = (body as { readonly message?: unknown } | null | undefined)?.message;
    const missing = path.startsWith("schemas/guids/") ? "; check its URL, and that it knows schemas by their GUIDs" : "; check its URL";
    const detail = typeof said === "string" ? `: ${said.slice(0, 200)}` : status === 404 ? missing : "";
    throw new SluiceError("REGISTRY_UNAVAILABLE", `the schema registry at ${requests.name} answered ${status} to ${path}${detail}`);
  }
  const typeName = typeof found.schemaType === "string" ? found.schemaType : "AVRO";
  return { type: typeNames[typeName] ?? null, typeName, text: found.schema, references: referencesOf(found.references) };
}

function referencesOf(given: unknown): readonly ReferenceEntry[] {
  if (!Array.isArray(given)) return [];
  return (given as readonly Partial<ReferenceEntry>[]).flatMap(({ name, subject, version }) =>
    typeof name === "string" && typeof subject === "string" && typeof version === "number" ? [{ name, subject, version }] : [],
  );
}
