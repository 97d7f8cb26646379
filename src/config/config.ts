import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "../../schemas/config.schema.json" with { type: "json" };
import type { Diagnostic, SourceLocation } from "../core/errors.ts";
import { DocumentError, SluiceError } from "../core/errors.ts";
import type { TlsOptions } from "../core/tls.ts";
import type { AlertsConfig } from "./alerts-config.ts";
import { completeAlerts } from "./alerts-config.ts";
import type { SchemaNode } from "./annotated.ts";
import { visitAnnotated } from "./annotated.ts";
import type { ConfigDocument, FileSource, KafkaSource, SASL, SchemaRegistry } from "./config-document.generated.ts";
import { completeTls, readSecret, reasonOf } from "./config-parts.ts";
import { describeError, slip } from "./describe.ts";
import type { HttpConfig } from "./http-config.ts";
import { completeHttp } from "./http-config.ts";
import type { LakeConfig } from "./lake-config.ts";
import { completeLake } from "./lake-config.ts";
import { applyOverrides, listOverrides, unknownVariables } from "./overrides.ts";
import type { YamlText } from "./yaml-text.ts";
import { parseYamlText } from "./yaml-text.ts";

/** A schema registry as its adapter wants it: secrets and certificates read. */
export interface RegistryConfig {
  readonly url: string;
  readonly auth:
    | { readonly kind: "basic"; readonly username: string; readonly password: string }
    | { readonly kind: "bearer"; readonly token: string }
    | null;
  readonly tls: TlsOptions | null;
  readonly timeoutMs: number;
}

/** A Kafka source as the adapters want it: secrets and certificates read. */
export interface KafkaSourceConfig extends Omit<KafkaSource, "tls" | "sasl" | "start"> {
  readonly start: { readonly at: "earliest" | "latest" } | { readonly at: "time"; readonly ms: number };
  readonly tls?: TlsOptions;
  readonly sasl?: { readonly mechanism: SASL["mechanism"]; readonly username: string; readonly password: string };
}

/** A worker's configuration, whole: defaults filled in, paths absolute, secrets read. */
export interface Config extends Omit<ConfigDocument, "alerts" | "lake" | "source" | "datasets" | "registry" | "http"> {
  /** The file it came from. */
  readonly file: string;
  readonly lake: LakeConfig;
  readonly http: HttpConfig;
  readonly alerts: AlertsConfig;
  readonly source: KafkaSourceConfig | FileSource;
  /** Null: none, so that contracts whose records are framed can't be run. */
  readonly registry: RegistryConfig | null;
  readonly datasets: readonly { readonly contract: string; readonly schema: string | null }[];
}

/** A configuration and what is odd about it without being wrong. */
export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly Diagnostic[];
}

/** The configuration's JSON Schema. */
export const configSchema = schema as unknown as SchemaNode;

const overrides = listOverrides(configSchema);
const ajv = new Ajv2020({ allErrors: true, discriminator: true, useDefaults: true, verbose: true, strict: true, strictRequired: false });
ajv.addKeyword({ keyword: "x-path", schemaType: "boolean" });
ajv.addKeyword({ keyword: "x-secret", schemaType: "boolean" });
const validate = ajv.compile(schema);

/** Reads, checks and completes a configuration file. Rejects with FILE_NOT_FOUND, or with CONFIG_INVALID and every fault at once. */
export function loadConfig(file: string, environment: Readonly<Record<string, string | undefined>>): LoadedConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new SluiceError("FILE_NOT_FOUND", `no configuration at ${file}: ${reasonOf(cause)}`, { cause });
  }
  return parseConfig(file, text, environment);
}

/** As `loadConfig`, of a text that is already at hand; `file` is where its relative paths start from. */
export function parseConfig(file: string, text: string, environment: Readonly<Record<string, string | undefined>>): LoadedConfig {
  const yaml = parseYamlText(file, text, environment);
  if (yaml.diagnostics.length > 0) throw new DocumentError("CONFIG_INVALID", yaml.diagnostics);
  if (typeof yaml.value !== "object" || yaml.value === null || Array.isArray(yaml.value)) {
    const location = { file, line: 1, column: 1 };
    throw new DocumentError("CONFIG_INVALID", [
      { severity: "error", code: "wrong-type", message: "a configuration is a map with `source` and `datasets`", hint: null, location },
    ]);
  }
  const document = yaml.value as Record<string, unknown>;
  const applied = applyOverrides(document, overrides, environment);
  const faults = findFaults(file, document, yaml, applied);
  if (faults.length > 0) throw new DocumentError("CONFIG_INVALID", faults);
  const base = dirname(resolve(file));
  visitAnnotated(configSchema, document, (at) => {
    if (at.schema["x-path"] === true) at.replace(resolve(applied.has(at.pointer) ? "." : base, at.value as string));
  });
  const warnings = unknownVariables(overrides, environment).map((name): Diagnostic => ({
    severity: "warning",
    code: "unknown-variable",
    message: `nothing reads the environment variable ${name}`,
    hint: slip(
      name,
      overrides.map((one) => one.variable),
    ),
    location: { file: "environment", line: 1, column: 1 },
  }));
  return { config: complete(file, document as unknown as ConfigDocument), warnings };
}

function findFaults(
  file: string,
  document: Record<string, unknown>,
  yaml: YamlText,
  applied: ReadonlyMap<string, string>,
): readonly Diagnostic[] {
  const near = (places: ReadonlyMap<string, SourceLocation>, pointer: string): SourceLocation => {
    const variable = applied.get(pointer);
    if (variable !== undefined) return { file: variable, line: 1, column: 1 };
    const found = places.get(pointer);
    if (found !== undefined) return found;
    return pointer === "" ? { file, line: 1, column: 1 } : near(yaml.places, pointer.slice(0, pointer.lastIndexOf("/")));
  };
  const places = { value: (pointer: string) => near(yaml.places, pointer), key: (pointer: string) => near(yaml.keyPlaces, pointer) };
  const outside = (pointer: string): boolean => applied.has(pointer) || yaml.fromEnvironment.has(pointer);
  if (!validate(document) && coerce(document, outside)) validate(document);
  const faults: Diagnostic[] = [];
  for (const error of validate.errors ?? []) {
    // What came from the environment may be a secret put in the wrong place: it is not repeated.
    const shown = (value: unknown): string => (outside(error.instancePath) ? "the value given" : shortText(value));
    const fault = describeError(error, configSchema, places, shown);
    if (fault !== null) faults.push(fault);
  }
  visitAnnotated(configSchema, document, (at) => {
    const isWritten = !outside(at.pointer) || (yaml.mixed.has(at.pointer) && !applied.has(at.pointer));
    if (at.schema["x-secret"] === true && isWritten) {
      const message = `${at.pointer.slice(1).replaceAll("/", ".")}: a secret may not stand in the configuration`;
      const hint = "write ${VARIABLE} alone, and set it in the environment";
      faults.push({ severity: "error", code: "secret-in-config", message, hint, location: places.value(at.pointer) });
    }
  });
  return faults.sort((a, b) => a.location.line - b.location.line || a.location.column - b.location.column);
}

/** Environment values are text; where a number or a truth value is wanted, and the text is one, it becomes one. */
function coerce(document: Record<string, unknown>, outside: (pointer: string) => boolean): boolean {
  let changed = false;
  const wrong = new Map(
    (validate.errors ?? []).filter((one) => one.keyword === "type").map((one) => [one.instancePath, one.params["type"] as string]),
  );
  visitAnnotated(configSchema, document, (at) => {
    const wanted = wrong.get(at.pointer);
    if (wanted === undefined || !outside(at.pointer) || typeof at.value !== "string") return;
    let next: number | boolean | null = null;
    if ((wanted === "integer" || wanted === "number") && /^-?\d+$/.test(at.value)) next = Number(at.value);
    if (wanted === "boolean" && (at.value === "true" || at.value === "false")) next = at.value === "true";
    if (next === null) return;
    at.replace(next);
    changed = true;
  });
  return changed;
}

function complete(file: string, document: ConfigDocument): Config {
  const { alerts, lake, source, datasets, registry, http, ...rest } = document;
  const usesKafka = rest.dlq.enabled || rest.events.enabled || rest.lineage.transports.some((one) => one.kind === "kafka");
  if (usesKafka && source.kind !== "kafka") {
    throw new SluiceError("CONFIG_INVALID", "dlq, events and Kafka lineage need a source of kind kafka", {
      location: { file, line: 1, column: 1 },
    });
  }
  return {
    ...rest,
    file,
    lake: completeLake(file, lake),
    http: completeHttp(file, http),
    alerts: completeAlerts(file, alerts),
    source: source.kind === "kafka" ? completeKafka(source) : source,
    registry: registry === undefined ? null : completeRegistry(file, registry),
    datasets: datasets.map((one) => ({ contract: one.contract, schema: one.schema ?? null })),
  };
}

function completeKafka(source: KafkaSource): KafkaSourceConfig {
  const { tls, sasl, start, ...rest } = source;
  return {
    ...rest,
    start: start === "earliest" || start === "latest" ? { at: start } : { at: "time", ms: Date.parse(start) },
    ...(tls !== undefined && { tls: completeTls(tls, "source") }),
    ...(sasl !== undefined && { sasl: { mechanism: sasl.mechanism, username: sasl.username, password: passwordOf(sasl) } }),
  };
}

function completeRegistry(file: string, registry: SchemaRegistry): RegistryConfig {
  const { url, username, password, passwordFile, token, tokenFile, tls, timeoutMs } = registry;
  const given = [password, passwordFile, token, tokenFile].filter((one) => one !== undefined).length;
  const isBasic = password !== undefined || passwordFile !== undefined;
  if (given > 1 || isBasic !== (username !== undefined)) {
    const message = "registry: give a username with one of password and passwordFile, or one of token and tokenFile, or none of them";
    throw new SluiceError("CONFIG_INVALID", message, { location: { file, line: 1, column: 1 } });
  }
  const secret = (text: string | undefined, path: string | undefined, setting: string): string =>
    text ?? readSecret(path as string, setting);
  let auth: RegistryConfig["auth"] = null;
  if (username !== undefined) auth = { kind: "basic", username, password: secret(password, passwordFile, "registry.passwordFile") };
  else if (given === 1) auth = { kind: "bearer", token: secret(token, tokenFile, "registry.tokenFile") };
  return { url, auth, tls: tls === undefined ? null : completeTls(tls, "registry"), timeoutMs };
}

function passwordOf(sasl: SASL): string {
  if (sasl.password !== undefined) return sasl.password;
  return readSecret(sasl.passwordFile as string, "source.sasl.passwordFile");
}

function shortText(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
