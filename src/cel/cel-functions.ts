import type { CelType } from "./cel-type.ts";

/** Functions by name, each with its variants `receiver.argument,argument -> result`; no receiver: a plain function. */
const variants: Readonly<Record<string, readonly string[]>> = {
  "_+_": [
    "int,int->int",
    "uint,uint->uint",
    "double,double->double",
    "string,string->string",
    "bytes,bytes->bytes",
    "list,list->list",
    "timestamp,duration->timestamp",
    "duration,timestamp->timestamp",
    "duration,duration->duration",
  ],
  "_-_": [
    "int,int->int",
    "uint,uint->uint",
    "double,double->double",
    "timestamp,timestamp->duration",
    "timestamp,duration->timestamp",
    "duration,duration->duration",
  ],
  "_*_": ["int,int->int", "uint,uint->uint", "double,double->double"],
  "_/_": ["int,int->int", "uint,uint->uint", "double,double->double"],
  "_%_": ["int,int->int", "uint,uint->uint"],
  "-_": ["int->int", "double->double"],
  "!_": ["bool->bool"],
  "_&&_": ["bool,bool->bool"],
  "_||_": ["bool,bool->bool"],
  "@not_strictly_false": ["dyn->bool"],
  size: [
    "string->int",
    "bytes->int",
    "list->int",
    "map->int",
    "record->int",
    "string.->int",
    "bytes.->int",
    "list.->int",
    "map.->int",
    "record.->int",
  ],
  contains: ["string.string->bool"],
  startsWith: ["string.string->bool"],
  endsWith: ["string.string->bool"],
  matches: ["string.string->bool"],
  int: ["int->int", "uint->int", "double->int", "string->int", "timestamp->int", "duration->int"],
  uint: ["uint->uint", "int->uint", "double->uint", "string->uint"],
  double: ["double->double", "int->double", "uint->double", "string->double"],
  bool: ["bool->bool", "string->bool"],
  bytes: ["bytes->bytes", "string->bytes"],
  string: [
    "string->string",
    "bool->string",
    "int->string",
    "uint->string",
    "double->string",
    "bytes->string",
    "timestamp->string",
    "duration->string",
  ],
  timestamp: ["timestamp->timestamp", "string->timestamp", "int->timestamp"],
  duration: ["duration->duration", "string->duration", "int->duration"],
  dyn: ["dyn->dyn"],
  type: ["dyn->type"],
  ...Object.fromEntries(
    ["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"].map((name) => [
      name,
      ["timestamp.->int", "timestamp.string->int"],
    ]),
  ),
  ...Object.fromEntries(
    ["getHours", "getMinutes", "getSeconds", "getMilliseconds"].map((name) => [
      name,
      ["timestamp.->int", "timestamp.string->int", "duration.->int"],
    ]),
  ),
};

const orders = ["bool", "string", "bytes", "timestamp", "duration"].map((kind) => `${kind},${kind}->bool`);
const numbers = ["int", "uint", "double"].flatMap((a) => ["int", "uint", "double"].map((b) => `${a},${b}->bool`));
const orderings: readonly string[] = [...orders, ...numbers];

/** Names of functions that people write, for suggestions. */
export const celFunctionNames: readonly string[] = [
  ...Object.keys(variants).filter((name) => /^[a-z]/.test(name)),
  "has",
  "all",
  "exists",
  "exists_one",
  "map",
  "filter",
];

/** Signs of operators by the name of their function. */
const signs: Readonly<Record<string, string>> = { "@in": "in", "_[_]": "[]", "_?_:_": "?:" };

/** An operator as people write it, or null for a function. */
export function celOperatorSign(name: string): string | null {
  if (Object.hasOwn(signs, name)) return signs[name] as string;
  return /^[a-zA-Z@]/.test(name) ? null : name.replaceAll("_", "");
}

interface Variant {
  readonly receiver: string | null;
  readonly args: readonly string[];
  readonly result: CelType["kind"];
}

function parseVariant(text: string): Variant {
  const [left = "", result = "dyn"] = text.split("->");
  const [receiver, rest] = left.includes(".") ? left.split(".") : [null, left];
  return {
    receiver: receiver ?? null,
    args: rest === undefined || rest === "" ? [] : rest.split(","),
    result: result as CelType["kind"],
  };
}

const table: ReadonlyMap<string, readonly Variant[]> = new Map(
  [...Object.entries(variants), ...["_<_", "_<=_", "_>_", "_>=_"].map((name) => [name, orderings] as const)].map(([name, list]) => [
    name,
    list.map(parseVariant),
  ]),
);

function fits(type: CelType, wanted: string): boolean {
  return wanted === "dyn" || type.kind === "dyn" || type.kind === wanted || (wanted === "map" && type.kind === "record");
}

/** The kind of a call's result; `unknown` where there is no such function, `misfit` where it does not take these. */
export function resolveCall(
  name: string,
  receiver: CelType | null,
  args: readonly CelType[],
): CelType["kind"] | { readonly fault: "unknown" | "misfit" } {
  const list = table.get(name);
  if (list === undefined) return { fault: "unknown" };
  const fitting = list.filter(
    (variant) =>
      (variant.receiver === null) === (receiver === null) &&
      (variant.receiver === null || receiver === null || fits(receiver, variant.receiver)) &&
      variant.args.length === args.length &&
      variant.args.every((wanted, i) => fits(args[i] as CelType, wanted)),
  );
  if (fitting.length === 0) return { fault: "misfit" };
  const results = new Set(fitting.map(({ result }) => result));
  return results.size === 1 ? (fitting[0] as Variant).result : "dyn";
}
