import type { Answer, Cell, Question, Row } from "./question.ts";
import type { Trino } from "./trino-here.ts";

/** A type as Trino's protocol has it. */
interface TypeSignature {
  readonly rawType: string;
  readonly arguments: readonly { readonly kind: string; readonly value: unknown }[];
}

interface Page {
  readonly nextUri?: string;
  readonly columns?: readonly { readonly name: string; readonly typeSignature: TypeSignature }[];
  readonly data?: readonly (readonly unknown[])[];
  readonly error?: { readonly message: string };
}

/** Whole numbers beyond 2^53 as text: doubles would round them. */
function parsePage(text: string): Page {
  const whole = (_: string, value: unknown, context: { readonly source?: string }): unknown =>
    typeof value === "number" && /^-?\d+$/.test(context.source ?? "") && !Number.isSafeInteger(value) ? context.source : value;
  return JSON.parse(text, whole as (key: string, value: unknown) => unknown) as Page;
}

/** A value of Trino's JSON as every reader's is brought to. */
function plain(value: unknown, type: TypeSignature): Cell {
  if (value === null || value === undefined) return null;
  const inner = (place: number): TypeSignature => type.arguments[place]?.value as TypeSignature;
  switch (type.rawType) {
    case "decimal":
      return (value as string).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
    case "timestamp":
    case "timestamp with time zone":
      return (value as string).replace(" UTC", "").replace(" ", "T");
    case "varbinary":
      return `0x${Buffer.from(value as string, "base64").toString("hex")}`;
    case "array":
      return (value as readonly unknown[]).map((each) => plain(each, inner(0)));
    case "map":
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, inner(1))]));
    case "row": {
      const fields = type.arguments.map(
        (each) => each.value as { readonly fieldName: { readonly name: string }; readonly typeSignature: TypeSignature },
      );
      return Object.fromEntries(
        fields.map(({ fieldName, typeSignature }, i) => [fieldName.name, plain((value as readonly unknown[])[i], typeSignature)]),
      );
    }
    default:
      return value as Cell;
  }
}

/** Runs a statement to its end. Rejects with what Trino says of a wrong one. */
async function query(trino: Trino, sql: string): Promise<Row[]> {
  const headers = {
    "x-trino-user": "matrix",
    "x-trino-catalog": "lake",
    "x-trino-schema": "db",
    "x-trino-time-zone": "UTC",
    // Without it, times end at milliseconds.
    "x-trino-client-capabilities": "PARAMETRIC_DATETIME",
  };
  const rows: Row[] = [];
  let page = parsePage(await (await fetch(`${trino.url}/v1/statement`, { method: "POST", body: sql, headers })).text());
  for (;;) {
    if (page.error !== undefined) throw new Error(page.error.message);
    const { columns = [], data = [], nextUri } = page;
    for (const values of data)
      rows.push(Object.fromEntries(columns.map(({ name, typeSignature }, i) => [name, plain(values[i], typeSignature)])));
    if (nextUri === undefined) return rows;
    page = parsePage(await (await fetch(nextUri)).text());
  }
}

function sqlOf({ table, columns, snapshotId, ref, where }: Question): string {
  const at = ref !== null ? ` FOR VERSION AS OF '${ref}'` : snapshotId === null ? "" : ` FOR VERSION AS OF ${snapshotId}`;
  const condition = where === null ? "" : ` WHERE ${where.trino ?? where.sql}`;
  return `SELECT ${columns.map((name) => `"${name}"`).join(", ")} FROM "${table}"${at}${condition} ORDER BY id`;
}

/** A server that has started does not know at once that it is its own only worker. */
async function untilThereAreNodes(ask: () => Promise<Row[]>): Promise<Row[]> {
  for (let seconds = 0; ; seconds++) {
    try {
      return await ask();
    } catch (error) {
      if (seconds === 120 || !(error as Error).message.startsWith("No nodes available")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** Trino's answers to questions about the tables of the catalog that it was started over. */
export async function trinoAnswers(trino: Trino, questions: readonly Question[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const question of questions) {
    try {
      answers.push({ rows: await untilThereAreNodes(() => query(trino, sqlOf(question))) });
    } catch (error) {
      answers.push({ error: (error as Error).message.split("\n")[0] as string });
    }
  }
  return answers;
}
