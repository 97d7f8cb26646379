/** The values of a reference file, or what is wrong with it. */
export type ReferenceValues = { readonly values: readonly string[] } | { readonly fault: string };

/** Cells of one CSV file (RFC 4180), row by row. A quote that is never closed is null. */
function csvRows(text: string): string[][] | null {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const endCell = (): void => {
    row.push(cell);
    cell = "";
  };
  const endRow = (): void => {
    endCell();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') {
        cell += c;
        i++;
      } else quoted = false;
    } else if (c === '"' && cell === "") quoted = true;
    else if (c === ",") endCell();
    else if (c === "\n") endRow();
    else if (c !== "\r" || text[i + 1] !== "\n") cell += c;
  }
  if (quoted) return null;
  if (cell !== "" || row.length > 0) endRow();
  return rows;
}

function csvValues(text: string, field: string | null): ReferenceValues {
  const [header, ...rows] = csvRows(text) ?? [];
  if (header === undefined) return { fault: "is empty, or a quote in it is never closed" };
  const index = field === null ? 0 : header.indexOf(field);
  if (index < 0) return { fault: `has no column "${field}"; it has ${header.map((each) => `"${each}"`).join(", ")}` };
  return { values: rows.flatMap((row) => (row[index] === undefined || row[index] === "" ? [] : [row[index]])) };
}

function jsonValues(text: string): ReferenceValues {
  let parsed: unknown;
  try {
    // Numbers keep the text that they are written as.
    parsed = JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) =>
      typeof value === "number" ? (context?.source ?? String(value)) : value,
    );
  } catch (error) {
    return { fault: `is no JSON: ${(error as Error).message}` };
  }
  if (!Array.isArray(parsed) || !parsed.every((each) => typeof each === "string" || typeof each === "boolean"))
    return { fault: "is no JSON list of texts, numbers or true and false" };
  return { values: parsed.map(String) };
}

/** Reads a reference file by its name's ending: .json (a list), .csv (one column), anything else a value a line. */
export function referenceValues(file: string, text: string, field: string | null): ReferenceValues {
  const plain = text.startsWith("\uFEFF") ? text.slice(1) : text;
  if (file.endsWith(".csv")) return csvValues(plain, field);
  if (file.endsWith(".json")) return jsonValues(plain);
  return { values: plain.split(/\r?\n/).filter((line) => line !== "") };
}
