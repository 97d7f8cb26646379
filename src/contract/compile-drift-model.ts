import { columnKind } from "../core/column-kind.ts";
import type { DriftCheckPlan } from "../core/contract.ts";
import type { Field } from "../core/schema.ts";
import type { Compilation } from "./compilation.ts";
import { columnOf } from "./compile-where.ts";
import { numberAt, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";

const roles = ["prediction", "label", "score"] as const;
type Role = (typeof roles)[number];
type Task = "classification" | "regression";

/**
 * The checks of a model's columns: how predictions, labels and scores are distributed, and how wrong predictions are where the label is known. A column that is
 * watched already keeps its own tests, and is called what it is to the model.
 */
export function modelChecks(
  compilation: Compilation,
  node: Node | null,
  { checks, policy }: { readonly checks: readonly DriftCheckPlan[]; readonly policy: DriftCheckPlan["policy"] },
): readonly DriftCheckPlan[] {
  if (node === null) return checks;
  const fields = new Map(
    roles.flatMap((role) => {
      const field = columnOf(compilation, node, role);
      return field === null ? [] : [[role, field] as const];
    }),
  );
  reportRepeats(compilation, node, fields);
  const prediction = fields.get("prediction");
  if (prediction === undefined) return checks;
  const task = (textAt(node, "task") as Task | null) ?? taskOf(prediction);
  const watched = new Map(checks.map((check) => [check.column, check]));
  for (const [role, { path }] of fields) {
    const check = watched.get(path) ?? { column: path, tests: testsOf(role, task), policy, limit: null };
    watched.set(path, { ...check, called: `${role} ${path}` });
  }
  const label = fields.get("label");
  const errors = label === undefined ? null : errorCheck(compilation, node, { prediction, label, task });
  return [...watched.values(), ...(errors === null ? [] : [{ ...errors, policy }])];
}

/** One column can't be two things. */
function reportRepeats({ findings }: Compilation, node: Node, fields: ReadonlyMap<Role, Field>): void {
  const seen = new Set<string>();
  for (const [role, { path }] of fields) {
    if (seen.has(path)) findings.error("drift-model", placeOf(node, role), `"${path}" is already another column of the model`);
    seen.add(path);
  }
}

function taskOf(prediction: Field): Task {
  const kind = columnKind(prediction);
  return kind === "text" || kind === "boolean" ? "classification" : "regression";
}

function testsOf(role: Role, task: Task): readonly string[] {
  return role === "label" && task === "classification" ? ["l-infinity"] : ["psi"];
}

interface Model {
  readonly prediction: Field;
  readonly label: Field;
  readonly task: Task;
}

function errorCheck({ findings }: Compilation, node: Node, { prediction, label, task }: Model): Omit<DriftCheckPlan, "policy"> | null {
  const kinds = [columnKind(prediction), columnKind(label)];
  const good = task === "regression" ? ["number"] : ["text", "boolean", "number"];
  if (kinds[0] !== kinds[1] || !good.includes(kinds[0] as string)) {
    const message = `"${prediction.path}" is a ${kinds[0]} and "${label.path}" a ${kinds[1]} column: they can't be compared for ${task}`;
    findings.error(
      "drift-model",
      placeOf(node, "label"),
      message,
      task === "regression" ? "two columns of numbers" : "two columns of one type",
    );
    return null;
  }
  return {
    column: `${prediction.path}~${label.path}`,
    called: `${prediction.path} against ${label.path}`,
    model: { prediction: prediction.path, label: label.path, task },
    tests: [task === "regression" ? "mean-absolute-error" : "error-rate"],
    limit: numberAt(node, "errorLimit"),
  };
}
