import type { SchemaNode } from "../../src/config/annotated.ts";
import { branches, dereference } from "../../src/config/annotated.ts";
import { listOverrides } from "../../src/config/overrides.ts";

/** `docs/reference/config.md` from the configuration's schema. */
export function generateConfigPage(schema: SchemaNode): string {
  const variables = new Map(listOverrides(schema).map((one) => [one.path.join("."), one.variable]));
  const lines = [
    "# Configuration",
    "",
    "<!-- Generated from schemas/config.schema.json by `npm run generate`. -->",
    "",
    schema.description ?? "",
    "",
    "One YAML file, `sluice.yaml` unless `--config` names another. An editor that knows JSON Schema completes and checks it with",
    "`# yaml-language-server: $schema=schemas/config.schema.json` as its first line.",
    "",
    "```yaml",
    "source:",
    "  kind: kafka",
    "  brokers: [localhost:9092]",
    "datasets:",
    "  - contract: flights.odcs.yaml",
    "```",
    "",
    "- **Environment in values.** `${NAME}` stands for an environment variable, `${NAME:-default}` has a default, `$${` is a plain `${`.",
    "  A variable that is not set is an error.",
    "- **Environment instead of values.** A setting's variable, in the tables below, goes before the file. Lists are written with commas.",
    "  `SLUICE_BROKERS` is short for `SLUICE_SOURCE_BROKERS`.",
    "- **Secrets** never stand in the file or in a flag: only as `${NAME}`, or in a file that a setting names.",
    "- **Paths** start from the folder of the configuration file; in an environment variable, from the current folder.",
    "- **Errors** come all at once, each as `file:line:column`.",
    "",
  ];
  const section = (title: string, node: SchemaNode, path: string): void => {
    lines.push(`## ${title}`, "");
    if (node.description !== undefined) lines.push(node.description, "");
    const kinds = branches(schema, node);
    for (const branch of kinds) {
      const kind = String(branch.properties?.["kind"]?.const);
      lines.push(`### \`kind: ${kind}\``, "", branch.properties?.["kind"]?.description ?? "", "");
      table(branch, path);
    }
    if (kinds.length === 0) table(node, path);
  };
  const table = (node: SchemaNode, path: string): void => {
    const nested: (readonly [string, SchemaNode])[] = [];
    lines.push("| setting | type | default | variable | meaning |", "| --- | --- | --- | --- | --- |");
    for (const [name, unresolved] of Object.entries(node.properties ?? {})) {
      const child = dereference(schema, unresolved);
      if (child.const !== undefined) continue;
      const full = path === "" ? name : `${path}.${name}`;
      const needed = node.required?.includes(name) === true ? "**required**" : code(child.default);
      const variable = variables.get(full);
      lines.push(
        `| \`${full}\` | ${typeOf(schema, child)} | ${needed} | ${variable === undefined ? "" : `\`${variable}\``} | ${cell(child.description ?? "")} |`,
      );
      if (child.properties !== undefined) nested.push([full, child]);
    }
    lines.push("");
    for (const [full, child] of nested) section(`\`${full}\``, child, full);
  };

  const top = Object.entries(schema.properties ?? {});
  const scalars = Object.fromEntries(top.filter(([, one]) => one.type === "string"));
  table({ properties: scalars }, "");
  for (const [name, one] of top) {
    if (name in scalars) continue;
    const node = dereference(schema, one);
    if (node.items !== undefined)
      section(`\`${name}\``, { ...dereference(schema, node.items), description: node.description ?? "" }, `${name}[]`);
    else section(`\`${name}\``, node, name);
  }
  const transport = schema.$defs?.["lineageTransport"];
  if (transport !== undefined) section("`lineage.transports[]`", transport, "lineage.transports[]");
  return `${lines.join("\n").trimEnd()}\n`;
}

function typeOf(schema: SchemaNode, node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((one) => `\`${String(one)}\``).join(", ");
  if (node.type === "array") return `list of ${node.items === undefined ? "values" : typeOf(schema, dereference(schema, node.items))}`;
  if (node.type === "object") return "map";
  if (node["x-path"] === true) return "path";
  if (node["x-secret"] === true) return "secret";
  if (node.type === "integer" && node.minimum !== undefined && node.maximum !== undefined)
    return `integer, ${node.minimum} to ${node.maximum}`;
  return node.type ?? "value";
}

function code(value: unknown): string {
  return ["string", "number", "boolean"].includes(typeof value) ? `\`${value as string}\`` : "";
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
