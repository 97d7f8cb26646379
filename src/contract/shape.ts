import type { ObjectNode } from "./node.ts";

/** The versions of ODCS that Sluice tells apart. 3.0 stands for all before 3.1: it has 3.1's structure, and the older form of library rules besides. */
export type OdcsVersion = "3.0" | "3.1" | "3.2";

/** What Sluice does with a key: acts on it, keeps it as a description (lake, lineage, messages), or only reads past it. */
export type Use = "enforced" | "described" | "ignored";

/** What a value may be. `any` is any JSON; `scalar` any JSON but lists and objects. */
export type Shape =
  | { readonly type: "string"; readonly values?: readonly string[]; readonly pattern?: Pattern; readonly nonEmpty?: boolean }
  | { readonly type: "number" | "integer"; readonly min?: number; readonly above?: number; readonly max?: number }
  | { readonly type: "boolean" | "any" | "scalar" }
  | { readonly type: "anyObject" }
  | { readonly type: "list"; readonly of: Shape; readonly min?: number; readonly max?: number; readonly unique?: boolean }
  | ObjectShape
  /** The alternative whose JSON type is the value's. */
  | { readonly type: "either"; readonly of: readonly Shape[] }
  /** Shapes that contain themselves, or that are named in the reference. */
  | { readonly type: "named"; readonly name: string; readonly shape: () => Shape }
  /** Two structures, one of versions up to 3.1 and one of 3.2. */
  | { readonly type: "byVersion"; readonly "3.1": Shape; readonly "3.2": Shape };

export interface Pattern {
  readonly regex: RegExp;
  /** In words: "letters, digits, _ and -". */
  readonly words: string;
}

export interface Key {
  readonly shape: Shape;
  readonly required?: boolean | "before3.2";
  /** The first version that has it; none: all. */
  readonly since?: "3.2";
  readonly use: Use;
  /** One sentence for the reference page. */
  readonly doc: string;
  /** What holds where it is left out, for the reference page. */
  readonly byDefault?: string;
}

export type Keys = Readonly<Record<string, Key>>;

export interface ObjectShape {
  readonly type: "object";
  readonly keys: Keys;
  /** Keys that are not named are allowed. */
  readonly open?: boolean;
  /** Keys that depend on other keys' values, as a function of the object. */
  readonly more?: (node: ObjectNode, version: OdcsVersion) => MoreKeys;
  /** Of these keys exactly one must stand. */
  readonly exactlyOne?: readonly string[];
  /** At least one of these keys must stand. */
  readonly atLeastOne?: readonly string[];
  /**
   * Whether the rest can still be judged without the keys that were wrong or missing; none: unless one of them is required. A misspelt key
   * comes by the name that it is nearest to, else as it is written.
   */
  readonly soundWithout?: (lost: readonly string[], node: ObjectNode) => boolean;
}

export interface MoreKeys {
  readonly keys: Keys;
  readonly exactlyOne?: readonly string[];
  /** Where keys stand that people look for here: "it stands in ...". */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** A fault of the combination, with the key it is reported at. */
  readonly faults?: readonly { readonly key: string; readonly message: string }[];
}

export const string: Shape = { type: "string" };
export const boolean: Shape = { type: "boolean" };
export const any: Shape = { type: "any" };

/** A list of a shape. */
export function listOf(of: Shape, limits: { min?: number; max?: number; unique?: boolean } = {}): Shape {
  return { type: "list", of, ...limits };
}

/** A string out of a closed list. */
export function oneOf(values: readonly string[]): Shape {
  return { type: "string", values };
}
