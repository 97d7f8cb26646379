import { nameOfShape } from "../../src/contract/check-shape.ts";
import type { Key, Keys, Shape } from "../../src/contract/shape.ts";

const version = "3.2";

/** A table of keys; with `uses`, what Sluice does with each. */
export function table(keys: Keys, kind: "uses" | "plain"): string {
  const uses = kind === "uses";
  const head = uses ? "| key | value | Sluice | meaning |\n| --- | --- | --- | --- |" : "| key | value | meaning |\n| --- | --- | --- |";
  const rows = Object.entries(keys).map(([name, key]) => {
    const needed = key.required === true ? " (required)" : key.required === "before3.2" ? " (required before 3.2)" : "";
    const cells = [
      `\`${name}\`${needed}${key.since === undefined ? "" : " (3.2)"}`,
      values(key.shape),
      ...(uses ? [key.use] : []),
      meaning(key),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return `${head}\n${rows.join("\n")}\n`;
}

function meaning(key: Key): string {
  return escape(key.byDefault === undefined ? key.doc : `${key.doc} Default: ${key.byDefault}.`);
}

function values(shape: Shape): string {
  if (shape.type === "string" && shape.values !== undefined) return shape.values.map((each) => `\`${each}\``).join(", ");
  if (shape.type === "byVersion") return values(shape[version]);
  if (shape.type === "either") return [...new Set(shape.of.map(values))].join(" or ");
  if (shape.type === "list" && shape.of.type === "string" && shape.of.values !== undefined) return `a list of ${values(shape.of)}`;
  const least = shape.type === "number" || shape.type === "integer" ? (shape.min ?? shape.above) : undefined;
  const name = nameOfShape(shape, version);
  if (least === undefined) return name;
  return `${name}${"above" in shape && shape.above !== undefined ? ` above ${least}` : `, at least ${least}`}`;
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|");
}
