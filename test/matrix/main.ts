// `npm run test:matrix`: tables of every type, transform, evolution and version, read by programs that no one here wrote; their cells are compared one by
// one with what was written. Writes docs/reference/readers.md. The last line says how many answers were as they must be. Readers that can't be had are left out.
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { openLake, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { duckdbWithIceberg, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { runSpark, sparkHere } from "../spark/spark-here.ts";
import { duckdbAnswers, pyicebergAnswers, sparkAnswers } from "./python-answers.ts";
import type { Answer, Question } from "./question.ts";
import { makeQuestions } from "./questions.ts";
import { writeMatrixPage, type ReaderAnswers } from "./matrix-page.ts";

interface Answered {
  readonly version: string;
  readonly answers: readonly Answer[];
}

/** What readers are told: not what they must find. */
function withoutRows(questions: readonly Question[]): string {
  return JSON.stringify(questions, (name, value: unknown) => (name === "rows" ? undefined : value));
}

async function askPython(folder: string, questions: readonly Question[]): Promise<ReaderAnswers[]> {
  const python = await pythonReaders();
  if (python === null) return [];
  const asked = withoutRows(questions);
  const py = JSON.parse(await runPython(python, pyicebergAnswers, [folder, asked])) as Answered & Record<"metadata" | "refs", unknown>;
  const places = JSON.stringify({ metadata: py.metadata, refs: py.refs });
  const duck = JSON.parse(await runPython(python, duckdbAnswers(duckdbWithIceberg), [places, asked])) as Answered;
  return [
    { reader: "PyIceberg", version: py.version, answers: py.answers },
    { reader: "DuckDB", version: duck.version, answers: duck.answers },
  ];
}

async function askSpark(folder: string, questions: readonly Question[]): Promise<ReaderAnswers[]> {
  const here = await sparkHere();
  if (here === null) return [];
  const settings = {
    "spark.sql.catalog.sluice": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.sluice.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
    "spark.sql.catalog.sluice.uri": `jdbc:sqlite:${join(folder, "catalog.db")}`,
    "spark.sql.catalog.sluice.warehouse": `file://${folder}`,
    "spark.sql.catalog.sluice.jdbc.schema-version": "V1",
  };
  const asked = withoutRows(questions);
  const spark = (await runSpark(here, sparkAnswers, { settings, args: [asked] })) as Answered;
  const iceberg = here.jars
    .map((jar) => /iceberg-spark-runtime-[^/]*-([0-9.]+)\.jar$/.exec(basename(jar))?.[1])
    .find((version) => version !== undefined);
  return [{ reader: "Spark", version: `${spark.version} with Iceberg's Java ${iceberg}`, answers: spark.answers }];
}

const isRight = (question: Question, answer: Answer | undefined): boolean =>
  answer !== undefined && "rows" in answer && isDeepStrictEqual(answer.rows, question.rows);

async function main(): Promise<number> {
  using scratch = scratchFolder();
  const lake = await openLake(scratch.folder, { catalogName: "sluice" });
  const questions = await makeQuestions(lake);
  await lake.close();
  const readers = [...(await askPython(scratch.folder, questions)), ...(await askSpark(scratch.folder, questions))];
  const page = new URL("../../docs/reference/readers.md", import.meta.url).pathname;
  writeFileSync(page, writeMatrixPage(questions, readers, isRight));
  let right = 0;
  let wrong = 0;
  for (const { reader, answers } of readers) {
    questions.forEach((question, i) => {
      if (isRight(question, answers[i])) right++;
      else {
        wrong++;
        console.log(`${reader}: ${question.topic}, ${question.what}: ${JSON.stringify(answers[i])}, not ${JSON.stringify(question.rows)}`);
      }
    });
  }
  console.log(
    `${right} answers right, ${wrong} not, by ${readers.map(({ reader, version }) => `${reader} ${version}`).join(", ") || "no reader"}`,
  );
  return readers.length > 0 ? 0 : 1;
}

process.exitCode = await main();
