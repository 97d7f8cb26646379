import type { Column } from "../../core/column.ts";
import { Cell } from "../../core/column.ts";
import type { DriftModel } from "../../core/contract.ts";
import type { ColumnProfile, Moments } from "../../core/profile.ts";
import type { Field } from "../../core/schema.ts";
import { emptyColumnProfile } from "../finish-column.ts";
import type { LeafColumn } from "../leaf-columns.ts";
import { emptyMoments, mergeMoments, momentsOf } from "../moments.ts";

/** The column of a model's errors, which no record has. */
export function errorColumn(path: string): Field {
  return { name: path, sourceName: path, path, type: { kind: "double" }, required: false, doc: null, classification: null, format: null };
}

/**
 * How wrong a model is, of the rows that have both its prediction and the label: 0 or 1 where classes are told apart, else the absolute difference. Rows that
 * lack one of the two count as missing.
 */
export class ModelErrors {
  readonly #path: string;
  readonly #task: DriftModel["task"];
  #moments: Moments = emptyMoments;
  #missing = 0;
  #errors = new Float64Array(0);

  constructor(path: string, task: DriftModel["task"]) {
    this.#path = path;
    this.#task = task;
  }

  reset(): void {
    this.#moments = emptyMoments;
    this.#missing = 0;
  }

  add(prediction: LeafColumn, label: LeafColumn, rows: Uint32Array): void {
    if (this.#errors.length < rows.length) this.#errors = new Float64Array(rows.length);
    const errors = this.#errors;
    let count = 0;
    for (const row of rows) {
      if (prediction.state[row] !== Cell.value || label.state[row] !== Cell.value) continue;
      const error = this.#task === "classification" ? (isSame(prediction, label, row) ? 0 : 1) : distance(prediction, label, row);
      if (Number.isFinite(error)) errors[count++] = error;
    }
    this.#missing += rows.length - count;
    this.#moments = mergeMoments(this.#moments, momentsOf(errors, count));
  }

  finish(): ColumnProfile {
    const moments = this.#moments;
    return { ...emptyColumnProfile(errorColumn(this.#path)), count: moments.count + this.#missing, missing: this.#missing, moments };
  }
}

function isSame(a: LeafColumn, b: LeafColumn, row: number): boolean {
  if (a.kind === "bytes" && b.kind === "bytes") return sameText(a, b, row);
  if (a.kind === "integer" && b.kind === "integer") return a.exact[row] === b.exact[row];
  return a.kind !== "bytes" && b.kind !== "bytes" && a.values[row] === b.values[row];
}

type Texts = Extract<Column, { kind: "bytes" }>;

function sameText(a: Texts, b: Texts, row: number): boolean {
  const length = a.lengths[row] as number;
  if (length !== b.lengths[row]) return false;
  const [from, other] = [a.starts[row] as number, b.starts[row] as number];
  for (let i = 0; i < length; i++) if (a.bytes[from + i] !== b.bytes[other + i]) return false;
  return true;
}

function distance(a: LeafColumn, b: LeafColumn, row: number): number {
  return a.kind === "bytes" || b.kind === "bytes" ? NaN : Math.abs((a.values[row] as number) - (b.values[row] as number));
}
