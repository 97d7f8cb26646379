/** Records of one shape, and the fields that a contract gives them: one point of a scale curve. */
export interface CurvePoint {
  readonly name: string;
  readonly fields: Readonly<Record<string, CurveField>>;
  readonly texts: readonly string[];
  readonly unknownFields?: "keep";
}

/** A field as the tests' fixture takes it. */
export interface CurveField {
  readonly type: "int" | "long" | "double" | "string" | "boolean" | "timestamp" | "date" | "struct" | "list";
  readonly format?: string;
  readonly of?: Readonly<Record<string, CurveField>> | CurveField;
}

const kinds = ["int", "double", "string", "boolean"] as const;

const columns = (count: number): Record<string, CurveField> =>
  Object.fromEntries(Array.from({ length: count }, (_, c) => [`column_${c}`, { type: kinds[c % 4] as CurveField["type"] }]));

const alike = (letters: string, type: CurveField["type"]): Record<string, CurveField> =>
  Object.fromEntries(Array.from(letters, (letter) => [letter, { type }]));

function row(count: number, index: number, wrong = -1): string {
  const value = (c: number): string => {
    if (c === wrong) return '"x"';
    return [String((index * 7) % 10_000), `${index % 100}.${c}5`, `"value ${index % 50}"`, "true"][c % 4] as string;
  };
  return `{${Array.from({ length: count }, (_, c) => `"column_${c}":${value(c)}`).join(",")}}`;
}

const many = (count: number, make: (index: number) => string): string[] => Array.from({ length: count }, (_, index) => make(index));

const eight =
  (make: (letter: number, index: number) => string) =>
  (index: number): string =>
    `{${Array.from("abcdefgh", (letter, i) => `"${letter}":${make(i, index)}`).join(",")}}`;

/** What the decoder's time depends on, one point each. */
export const curvePoints: readonly CurvePoint[] = [
  ...[10, 50, 200, 500].map((n) => ({ name: `${n} columns`, fields: columns(n), texts: many(80_000 / n, (i) => row(n, i)) })),
  { name: "10 of 500 columns there", fields: columns(500), texts: many(4000, (i) => row(10, i)) },
  { name: "10 columns, 190 unknown fields", fields: columns(10), texts: many(1000, (i) => row(200, i)) },
  ...[10, 50].map((share) => ({
    name: `${share}% of rows with a value of a wrong type`,
    fields: columns(20),
    texts: many(4000, (i) => row(20, i, i % 100 < share ? 8 : -1)),
  })),
  ...[10, 50].map((share) => ({
    name: `${share}% of records broken off`,
    fields: columns(20),
    texts: many(4000, (i) => (i % 100 < share ? row(20, i).slice(0, 200) : row(20, i))),
  })),
  { name: "unknown field kept, one a record", fields: columns(9), texts: many(4000, (i) => row(10, i)), unknownFields: "keep" },
  {
    name: "strings with escapes",
    fields: alike("abcdefgh", "string"),
    texts: many(
      4000,
      eight((_, i) => `"line\\n\\u00e9 ${i}"`),
    ),
  },
  {
    name: "strings of Cyrillic",
    fields: alike("abcdefgh", "string"),
    texts: many(
      4000,
      eight(() => '"Съешь ещё этих французских булок"'),
    ),
  },
  { name: "strings of 10 KB", fields: alike("a", "string"), texts: many(400, (i) => `{"a":"${"lorem ipsum ".repeat(830)}${i}"}`) },
  { name: "strings of 100 KB", fields: alike("a", "string"), texts: many(40, (i) => `{"a":"${"lorem ipsum ".repeat(8300)}${i}"}`) },
  {
    name: "doubles of 16 digits",
    fields: alike("abcdefgh", "double"),
    texts: many(
      4000,
      eight((k, i) => String(Math.sqrt(i * 8 + k + 2))),
    ),
  },
  {
    name: "longs of 13 digits",
    fields: alike("abcdefgh", "long"),
    texts: many(
      4000,
      eight((k, i) => String(1.7e12 + i * 977 + k)),
    ),
  },
  {
    name: "timestamps",
    fields: alike("abcdefgh", "timestamp"),
    texts: many(
      4000,
      eight((k, i) => JSON.stringify(new Date(1.7e12 + i * 86_399_977 + k))),
    ),
  },
  {
    name: "dates of a format of their own",
    fields: { a: { type: "date", format: "dd.MM.yyyy" } },
    texts: many(4000, (i) => `{"a":"${10 + (i % 19)}.03.2024"}`),
  },
  {
    name: "lists of five objects",
    fields: { l: { type: "list", of: { type: "struct", of: { sku: { type: "string" }, n: { type: "int" }, price: { type: "double" } } } } },
    texts: many(4000, (i) => `{"l":[${many(5, (k) => `{"sku":"A-${i}${k}","n":${k},"price":9.5}`).join(",")}]}`),
  },
  {
    name: "objects four deep",
    fields: { a: { type: "struct", of: { b: { type: "struct", of: { c: { type: "struct", of: { x: { type: "int" } } } } } } } },
    texts: many(4000, (i) => `{"a":{"b":{"c":{"x":${i}}}}}`),
  },
];
