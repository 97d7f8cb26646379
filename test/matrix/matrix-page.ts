import type { Answer, Question } from "./question.ts";

/** One reader's answers, in the order of the questions. */
export interface ReaderAnswers {
  readonly reader: string;
  readonly version: string;
  readonly answers: readonly Answer[];
}

/** `docs/reference/readers.md`: which reader found what was written, by topic, and what the others found instead. */
export function writeMatrixPage(
  questions: readonly Question[],
  readers: readonly ReaderAnswers[],
  isRight: (question: Question, answer: Answer | undefined) => boolean,
): string {
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
      return mark(
        reader,
        questions.findIndex((each) => each.topic === topic && each.what === what && each.formatVersion === version),
      );
    };
    const rows = [...asked].map((what) => {
      const cells = readers.flatMap((reader) => versions.map((version) => cell(reader, what, version)));
      return `| ${what} | ${cells.join(" | ")} |`;
    });
    const columns = readers.flatMap(({ reader }) => versions.map((version) => `${reader} v${version}`));
    parts.push(`## ${topic}\n\n| | ${columns.join(" | ")} |\n| --- | ${columns.map(() => "---").join(" | ")} |\n${rows.join("\n")}`);
  }
  if (notes.length > 0) parts.push(`## What was found instead\n\n${notes.map((note, i) => `${i + 1}. ${note}`).join("\n")}`);
  return `${parts.join("\n\n")}\n`;
}

function intro(readers: readonly ReaderAnswers[]): string {
  return `<!-- Made by \`npm run test:matrix\`; do not edit. -->

# Readers

Tables that Sluice writes (Iceberg format versions 2 and 3, an SQLite catalog, local files), read by ${readers.map(({ reader, version }) => `${reader} ${version}`).join(", ")}.
Each line is a question: *yes* means that the reader answered it with exactly the rows and cells that were written. Each type has a table with a usual value,
extremes and a null. PyIceberg and Spark find tables, branches and tags by the catalog; DuckDB is given a metadata file and a snapshot's id.`;
}

/** The first row that differs, or the error. */
function difference({ rows }: Question, answer: Answer | undefined): string {
  if (answer === undefined) return "no answer";
  if ("error" in answer) return `\`${answer.error.replaceAll("|", "\\|").slice(0, 200)}\``;
  if (answer.rows.length !== rows.length) return `${answer.rows.length} rows of ${rows.length}`;
  const at = rows.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(answer.rows[i]));
  return `\`${JSON.stringify(answer.rows[at])}\` instead of \`${JSON.stringify(rows[at])}\``;
}
