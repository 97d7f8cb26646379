import { columnKind } from "../core/column-kind.ts";
import type { Compilation } from "./compilation.ts";
import { columnNamed } from "./compile-where.ts";
import { child, items } from "./node.ts";
import type { Node } from "./node.ts";

/** Tests that judge several columns together. */
const jointTests: ReadonlySet<string> = new Set(["correlation", "joint-mean"]);

/** The other columns that an entry's joint tests take, checked: numbers or times with one value a row; null where it names none. */
export function jointColumns(compilation: Compilation, node: Node, column: string, tests: readonly string[]): readonly string[] | null {
  const nodes = items(node, "with");
  const joint = tests.filter((test) => jointTests.has(test));
  if (nodes.length === 0) {
    if (joint.length === 0) return null;
    const place = (child(node, "tests") ?? node).at;
    const message = `${joint.join(" and ")} of "${column}" ${joint.length > 1 ? "need" : "needs"} other columns`;
    compilation.findings.error("drift-with-missing", place, message, "with: [columns of numbers or times]");
    return null;
  }
  if (joint.length === 0) {
    const tellTests = [...jointTests].join(" or ");
    compilation.findings.error(
      "drift-with-unused",
      (child(node, "with") ?? node).at,
      `no test of "${column}" takes other columns`,
      `tests: [${tellTests}]`,
    );
  }
  return nodes.flatMap((each) => {
    const name = each.kind === "scalar" && typeof each.value === "string" ? each.value : "";
    const field = columnNamed(compilation, name, each);
    if (field === null) return [];
    const kind = columnKind(field);
    if (name === column || (kind !== "number" && kind !== "time")) {
      const why = name === column ? "is the column itself" : `is a ${kind} column: it has no mean`;
      compilation.findings.error("drift-with", each.at, `"${name}" ${why}`, "columns of numbers or times");
      return [];
    }
    return [name];
  });
}
