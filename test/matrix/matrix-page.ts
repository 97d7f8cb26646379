import type { Answer, Question } from "./question.ts";

/** One reader's answers, in the order of the questions. */
export interface ReaderAnswers {
  readonly reader: string;
  readonly version: string;
  readonly answers: readonly Answer[];
}

/** What was asked, and what each reader answered. */
export interface Asked {
  readonly questions: readonly Question[];
  readonly readers: readonly ReaderAnswers[];
}

export interface MatrixAnswers extends Asked {
  /** The same over tables in S3; null where there was none. */
  readonly inS3: Asked | null;
  readonly isRight: (question: Question, answer: Answer | undefined) => boolean;
}

/** `docs/reference/readers.md`: which reader found what was written, by topic, and what the others found instead. */
export function writeMatrixPage({ questions, readers, inS3, isRight }: MatrixAnswers): string {
  const parts = [intro(readers)];
  const notes: string[] = [];
  const mark = (reader: ReaderAnswers, index: number): string => {
    const question = questions[index] as Question;
    const answer = reader.answers[index];
    if (isRight(question, answer)) return "yes";
    notes.push(`**${reader.reader}, ${question.what}, v${question.formatVersion}**: ${difference(question, answer)}`);
    return `no [${notes.length}]`;
  };
  for (const topic of new Set(questions.map((question) => question.topic))) {
    const asked = new Set(questions.flatMap((question) => (question.topic === topic ? [question.what] : [])));
    const versions = ([2, 3] as const).filter((version) =>
      questions.some((each) => each.topic === topic && each.formatVersion === version),
    );
    const cell = (reader: ReaderAnswers, what: string, version: number): string => {
      const index = questions.findIndex((each) => each.topic === topic && each.what === what && each.formatVersion === version);
      return index < 0 ? "not asked" : mark(reader, index);
    };
    const rows = [...asked].map((what) => {
      const cells = readers.flatMap((reader) => versions.map((version) => cell(reader, what, version)));
      return `| ${what} | ${cells.join(" | ")} |`;
    });
    const columns = readers.flatMap(({ reader }) => versions.map((version) => `${reader} v${version}`));
    parts.push(`## ${topic}\n\n| | ${columns.join(" | ")} |\n| --- | ${columns.map(() => "---").join(" | ")} |\n${rows.join("\n")}`);
  }
  if (inS3 !== null) parts.push(s3Part(inS3, { questions, readers }, isRight));
  if (notes.length > 0) parts.push(`## What was found instead\n\n${notes.map((note, i) => `${i + 1}. ${note}`).join("\n")}`);
  return `${parts.join("\n\n")}\n`;
}

/** Only what S3 changes is said line by line. */
function s3Part({ questions, readers }: Asked, local: Asked, isRight: MatrixAnswers["isRight"]): string {
  const changed: string[] = [];
  const rows = readers.map(({ reader, answers }) => {
    const here = local.readers.find((each) => each.reader === reader);
    let right = 0;
    for (const [i, question] of questions.entries()) {
      const isFound = isRight(question, answers[i]);
      if (isFound) right++;
      const { table, what } = question;
      const at = local.questions.findIndex((each) => each.table === table && each.what === what);
      const wasFound = at >= 0 && isRight(local.questions[at] as Question, here?.answers[at]);
      if (wasFound !== isFound)
        changed.push(`- **${reader}, ${what}, v${question.formatVersion}**: ${isFound ? "yes" : difference(question, answers[i])}`);
    }
    return `| ${reader} | ${right} of ${questions.length} |`;
  });
  const otherwise =
    changed.length === 0
      ? "Each answer is the one that the reader gave over local files."
      : `Answered otherwise than over local files:\n\n${changed.join("\n")}`;
  return `## In S3\n\nThe same questions but those of Spark's deletes, over the same tables in S3 (Moto's server).\n\n| | right |\n| --- | --- |\n${rows.join("\n")}\n\n${otherwise}`;
}

function intro(readers: readonly ReaderAnswers[]): string {
  return `<!-- Made by \`npm run test:matrix\`; do not edit. -->

# Readers

Tables that Sluice writes (Iceberg format versions 2 and 3, an SQLite catalog, local files and [S3](#in-s3)), read by ${readers.map(({ reader, version }) => `${reader} ${version}`).join(", ")}.
Each line is a question: *yes* means that the reader answered it with exactly the rows and cells that were written. Each type has a table with a usual value,
extremes and a null. PyIceberg, Polars (through PyIceberg's catalog) and Spark find tables, branches and tags by the catalog; DuckDB is given a metadata file and a snapshot's id. Trino goes through Sluice's own [REST catalog](rest-catalog.md).`;
}

/** The first row that differs, or the error. */
function difference({ rows }: Question, answer: Answer | undefined): string {
  if (answer === undefined) return "no answer";
  if ("error" in answer) return `\`${answer.error.replaceAll("|", "\\|").slice(0, 200)}\``;
  if (answer.rows.length !== rows.length) return `${answer.rows.length} rows of ${rows.length}`;
  const at = rows.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(answer.rows[i]));
  return `\`${JSON.stringify(answer.rows[at])}\` instead of \`${JSON.stringify(rows[at])}\``;
}
