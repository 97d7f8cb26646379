import type { Contract } from "../core/contract.ts";
import type { FormatPlan } from "../core/format-plan.ts";
import type { CsvPlan, EnvelopePlan, KeyPlan, OuterColumn, RecordPlan, ValuePlan } from "../core/record-plan.ts";
import type { Field } from "../core/schema.ts";
import { leaveUnenforced } from "./compilation.ts";
import type { Compilation } from "./compilation.ts";
import { compileFormat } from "./compile-format.ts";
import { columnNamed } from "./compile-where.ts";
import { valueFormats } from "./decoding-shape.ts";
import { booleanAt, child, items, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";

interface RecordSource {
  readonly root: Node;
  readonly settings: Node | null;
  readonly fields: readonly Field[];
}

type ValueFormat = (typeof valueFormats)[number];

/** How a dataset's records become rows, by its settings and its Kafka server; columns and files that they name are checked. */
export function compileRecord(compilation: Compilation, { root, settings, fields }: RecordSource): Pick<Contract, "format" | "record"> {
  const decoding = child(settings, "decoding");
  const keyNode = child(settings, "key");
  const taken = new Map<string, Node>();
  const envelope = compileEnvelope(compilation, child(settings, "envelope"), taken);
  const key = compileKey(compilation, keyNode, taken);
  const format = valueFormat(compilation, root, decoding);
  // What the envelope wraps has the columns at another place than the schema's top.
  const own = envelope?.kind === "debezium" ? [] : fields.filter(({ name }) => !taken.has(name));
  const value = compileValue(compilation, {
    node: decoding,
    at: settings ?? root,
    format,
    own,
    takesReader: envelope?.kind !== "debezium",
  });
  for (const columns of [envelope?.columns ?? [], key?.columns ?? []]) checkPaths(compilation, columns, taken);
  checkCombination(compilation, { decoding, value, envelope, at: settings ?? root });
  const isPlainKey = key === null || (key.value.format === "text" && isTextColumn(key, fields));
  // The decoders of these formats fill a text column from the key themselves.
  const ownKey = envelope === null && isPlainKey && (isFormat(value) || value.format === "registered");
  const isPlain = ownKey && isFormat(value);
  const record: RecordPlan = { value, envelope, key: ownKey ? null : key };
  return { format: isFormat(value) ? value : { format: "json" }, ...(isPlain ? {} : { record }) };
}

function isFormat(value: ValuePlan): value is FormatPlan {
  return value.format === "json" || value.format === "avro" || value.format === "protobuf";
}

function isTextColumn({ columns }: KeyPlan, fields: readonly Field[]): boolean {
  return columns.every(({ column, path }) => path.length === 0 && fields.find(({ name }) => name === column)?.type.kind === "string");
}

/** The settings' format, else the one that the contract's Kafka servers agree on. */
function valueFormat(compilation: Compilation, root: Node, decoding: Node | null): ValueFormat {
  const given = textAt(decoding, "format") as ValueFormat | null;
  const servers = items(root, "servers").filter((server) => textAt(server, "type") === "kafka" && textAt(server, "format") !== null);
  const found = new Set<ValueFormat>();
  for (const server of servers) {
    const format = serverFormat(textAt(server, "format") as string);
    const at = placeOf(server, "format");
    if (format === null)
      leaveUnenforced(compilation, at, `the server's format ${textAt(server, "format")}: Sluice knows ${valueFormats.join(", ")}`);
    else if (given !== null && format !== given) {
      compilation.findings.warning(
        "format-differs",
        at,
        `the server's format is ${format}, and the dataset's settings say ${given}, which holds`,
      );
    } else found.add(format);
  }
  if (given !== null) return given;
  const [only, ...others] = found;
  if (others.length > 0) {
    const at = placeOf(servers[0] as Node, "format");
    compilation.findings.error(
      "format-ambiguous",
      at,
      `the Kafka servers have several formats: ${[...found].join(", ")}`,
      "say which in the dataset's `decoding`",
    );
  }
  return only ?? "json";
}

/** The format that a server's text names, whatever case and hyphens it is written in. */
function serverFormat(text: string): ValueFormat | null {
  const plain = text.toLowerCase().replaceAll(/[^a-z]/g, "");
  const aliases: Readonly<Record<string, ValueFormat>> = {
    proto: "protobuf",
    protobuf: "protobuf",
    msgpack: "messagepack",
    jsonschema: "json",
  };
  return aliases[plain] ?? valueFormats.find((format) => format === plain) ?? null;
}

function compileValue(
  compilation: Compilation,
  {
    node,
    at,
    format,
    own,
    takesReader,
  }: {
    readonly node: Node | null;
    readonly at: Node;
    readonly format: ValueFormat;
    readonly own: readonly Field[];
    /** Whether the columns are the schema's top, so that a schema of the contract's own says how they are read. */
    readonly takesReader: boolean;
  },
): ValuePlan {
  // A server's format alone stands for what nearly all producers of these do.
  const isAssumed = (format === "avro" || format === "protobuf") && textAt(node, "format") === null && child(node, "schema") === null;
  if (isAssumed && textAt(node, "framing") === null) {
    const message = `records are taken as framed ${format}: each names its schema in the configuration's registry`;
    compilation.findings.note(
      "framing-assumed",
      at.at,
      message,
      "say so in the dataset's settings: `decoding: { framing: registry }`, or name a `schema`",
    );
  }
  if (textAt(node, "framing") === "registry" || (isAssumed && textAt(node, "framing") === null)) {
    if (format === "json" || format === "avro" || format === "protobuf") {
      const isReader = takesReader && format === "avro" && child(node, "schema") !== null;
      for (const name of isReader ? ["message"] : ["schema", "references", "message"]) {
        if (child(node, name) !== null)
          compilation.findings.error(
            "schema-unused",
            placeOf(node as Node, name),
            `with a registry each record names its own schema, so \`${name}\` says nothing`,
          );
      }
      if (isReader) {
        const plan = compileFormat(compilation, node as Node, format, own);
        if (plan.format === "avro") return { format: "registered", type: format, validate: false, reader: plan.schema };
      }
      return { format: "registered", type: format, validate: booleanAt(node, "validate") ?? false };
    }
    compilation.findings.error("framing-format", placeOf(node as Node, "framing"), `a registry has no schemas of the format ${format}`);
  }
  switch (format) {
    case "avro":
    case "protobuf":
      if (node !== null) return compileFormat(compilation, node, format, own);
      compilation.findings.error(
        "schema-missing",
        at.at,
        `records of the format ${format} need a schema`,
        "name it in the dataset's settings: `decoding: { schema: … }`, or `framing: registry`",
      );
      return { format: "json" };
    case "csv":
      return compileCsv(compilation, child(node, "csv"), own);
    default:
      return { format };
  }
}

function compileCsv(compilation: Compilation, node: Node | null, own: readonly Field[]): CsvPlan {
  const listed = items(node, "columns").flatMap((each) => (each.kind === "scalar" && typeof each.value === "string" ? [each.value] : []));
  const columns = listed.length > 0 ? listed : own.map(({ sourceName }) => sourceName);
  const plan = {
    delimiter: textAt(node, "delimiter") ?? ",",
    quote: textAt(node, "quote") ?? '"',
    nullToken: textAt(node, "nullToken") ?? "",
  };
  if (node !== null && plan.delimiter === plan.quote)
    compilation.findings.error("csv-characters", node.at, "delimiter and quote are the same character");
  for (const field of own) {
    if (columns.includes(field.sourceName)) continue;
    compilation.findings.warning(
      "column-not-in-schema",
      (child(node, "columns") as Node).at,
      `no cell is "${field.sourceName}", so ${field.path} is always missing`,
    );
  }
  return { format: "csv", columns, ...plan };
}

function compileEnvelope(compilation: Compilation, node: Node | null, taken: Map<string, Node>): EnvelopePlan | null {
  const named = node?.kind === "scalar" && typeof node.value === "string" ? node.value : null;
  const kind = named ?? textAt(node, "type");
  const columns = items(node, "columns").flatMap((each) => outerColumn(compilation, each, taken));
  const misplaced = (names: readonly string[]): void => {
    for (const name of names) {
      if (child(node, name) !== null)
        compilation.findings.error("envelope-setting", placeOf(node as Node, name), `\`${name}\` is no setting of ${kind}`);
    }
  };
  if (kind === "cloudevents") {
    misplaced(["deletes"]);
    const schemas = items(node, "dataSchemas").flatMap((each) => (each.kind === "scalar" ? [String(each.value)] : []));
    const mode = (textAt(node, "mode") as "structured" | "binary" | null) ?? "either";
    return { kind, mode, dataSchemas: schemas.length === 0 ? null : schemas, columns };
  }
  if (kind !== "debezium") return null;
  misplaced(["mode", "dataSchemas"]);
  for (const { column, path } of columns) {
    const at = (taken.get(column) as Node).at;
    if (path[0] === "before" || path[0] === "after")
      compilation.findings.error("path", at, `"${path.join(".")}" is of the row's image, whose fields are columns anyway`);
    if (path[0] === "op" && compilation.fields.get(column)?.type.kind !== "string")
      compilation.findings.error("column-type", at, `the envelope's \`op\` is text, and "${column}" is not`);
  }
  return { kind, deletes: textAt(node, "deletes") === "before" ? "before" : "tombstone", columns };
}

function outerColumn(compilation: Compilation, node: Node, taken: Map<string, Node>): OuterColumn[] {
  const column = takeColumn(compilation, child(node, "column") ?? node, textAt(node, "column") ?? "", taken);
  const path = (textAt(node, "from") ?? "").split(".");
  if (path.some((part) => part === "")) {
    compilation.findings.error("path", placeOf(node, "from"), `"${textAt(node, "from")}" is no path: names with dots between them`);
    return [];
  }
  return column === null ? [] : [{ column: column.name, path }];
}

/** The column of a name, once: two sources can't fill it. */
function takeColumn(compilation: Compilation, at: Node, name: string, taken: Map<string, Node>): Field | null {
  const field = columnNamed(compilation, name, at);
  if (field === null) return null;
  if (name.includes(".")) {
    compilation.findings.error(
      "column-nested",
      at.at,
      `"${name}" stands inside another column; only those at the top can come from key or envelope`,
    );
    return null;
  }
  if (taken.has(name))
    compilation.findings.error("column-taken", at.at, `"${name}" is filled twice`, "give each source a column of its own");
  taken.set(name, at);
  return field;
}

/** Of two paths neither leads through the other: one of the two could not be an object and a value both. */
function checkPaths(compilation: Compilation, columns: readonly OuterColumn[], taken: ReadonlyMap<string, Node>): void {
  columns.forEach(({ column, path }, i) => {
    const other = columns
      .slice(0, i)
      .find((each) => each.path.every((part, k) => path[k] === part) || path.every((part, k) => each.path[k] === part));
    if (other === undefined) return;
    const message = `"${path.join(".")}" and "${other.path.join(".")}" lead through one another, and each can fill only one column`;
    compilation.findings.error("path-overlap", (taken.get(column) as Node).at, message);
  });
}

const numeric: ReadonlySet<string> = new Set(["int", "long", "float", "double", "decimal"]);

function compileKey(compilation: Compilation, node: Node | null, taken: Map<string, Node>): KeyPlan | null {
  if (node?.kind !== "object") return null;
  const format = (textAt(node, "format") ?? "text") as "text" | "int" | "long" | Exclude<ValueFormat, "csv">;
  const whole = textAt(node, "column");
  const field = whole === null ? null : takeColumn(compilation, child(node, "column") as Node, whole, taken);
  const columns = whole === null ? items(node, "columns").flatMap((each) => outerColumn(compilation, each, taken)) : [];
  const isPlain = format === "text" || format === "int" || format === "long";
  const fail = (code: string, key: string, message: string, hint: string | null = null): void =>
    compilation.findings.error(code, placeOf(node, key), message, hint);
  if (isPlain && whole === null) fail("key-format", "columns", `a key of the format ${format} is one value`, "name its `column`");
  if (!isPlain && format !== "json" && format !== "avro" && whole !== null)
    fail("key-format", "column", `a key of the format ${format} has fields`, "name them: `columns`");
  if (field !== null && format !== "text" && isPlain && !numeric.has(field.type.kind))
    fail("column-type", "column", `a key of the format ${format} goes into a number, and "${field.name}" is none`);
  if (field !== null && format === "text" && (field.type.kind === "struct" || field.type.kind === "list" || field.type.kind === "map"))
    fail("column-type", "column", `a key that is text does not go into "${field.name}"`);
  if (field !== null) columns.push({ column: field.name, path: [] });
  if (isPlain) {
    for (const name of ["framing", "schema", "references", "message"])
      if (child(node, name) !== null) fail("key-setting", name, `a key of the format ${format} has no \`${name}\``);
    return columns.length === 0 ? null : { value: { format }, columns };
  }
  const value = compileValue(compilation, { node, at: node, format, own: [], takesReader: false });
  return columns.length === 0 ? null : { value, columns };
}

function checkCombination(
  compilation: Compilation,
  {
    decoding,
    value,
    envelope,
    at,
  }: { readonly decoding: Node | null; readonly value: ValuePlan; readonly envelope: EnvelopePlan | null; readonly at: Node },
): void {
  const place = decoding ?? at;
  if (booleanAt(decoding, "validate") === true && !(value.format === "registered" && value.type === "json"))
    compilation.findings.error(
      "validate-format",
      placeOf(place, "validate"),
      "only JSON with `framing: registry` is validated by its registered schema",
    );
  if (child(decoding, "csv") !== null && value.format !== "csv")
    compilation.findings.error("csv-unused", placeOf(place, "csv"), `\`csv\` says nothing of the format ${value.format}`);
  if (envelope?.kind === "cloudevents" && value.format === "registered" && envelope.mode !== "binary") {
    compilation.findings.error(
      "envelope-framing",
      place.at,
      "the data of a structured event is not framed",
      "with a registry, say `mode: binary`",
    );
  }
  if (envelope?.kind === "debezium" && (value.format === "csv" || value.format === "messagepack" || value.format === "cbor"))
    compilation.findings.error("envelope-format", place.at, `Debezium writes JSON, Avro and Protobuf, not ${value.format}`);
}
