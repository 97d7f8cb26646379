// `npm run test:matrix`: tables of every type, transform, evolution and version, read by programs that no one here wrote; their cells are compared one by
// one with what was written. Writes docs/reference/readers.md. The last line says how many answers were as they must be. Readers that can't be had are left out.
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { openLake, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { duckdbWithIceberg, pythonPolars, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { s3Keys, testS3 } from "../live/harness/test-s3.ts";
import { catalogFixture } from "../rest-catalog/catalog-fixture.ts";
import type { SparkHere } from "../spark/spark-here.ts";
import { runSpark, sparkHere } from "../spark/spark-here.ts";
import { duckdbAnswers, polarsAnswers, pyicebergAnswers, sparkAnswers, sparkDeletes } from "./python-answers.ts";
import type { Answer, Question } from "./question.ts";
import { makeQuestions, sparkDeletions } from "./questions.ts";
import { trinoAnswers } from "./trino-answers.ts";
import { startTrino, trinoHere } from "./trino-here.ts";
import { writeMatrixPage, type ReaderAnswers } from "./matrix-page.ts";

interface Answered {
  readonly version: string;
  readonly answers: readonly Answer[];
}

/** What readers are told: not what they must find. */
function withoutRows(questions: readonly Question[]): string {
  return JSON.stringify(questions, (name, value: unknown) => (name === "rows" ? undefined : value));
}

/** What files are reached with, in PyIceberg's words; nothing for those on disk. */
type FileAccess = Readonly<Record<string, string>>;

async function askPython(folder: string, questions: readonly Question[], files: FileAccess): Promise<ReaderAnswers[]> {
  const python = await pythonReaders();
  if (python === null) return [];
  const asked = withoutRows(questions);
  const access = JSON.stringify(files);
  const py = JSON.parse(await runPython(python, pyicebergAnswers, [folder, asked, access])) as Answered &
    Record<"metadata" | "refs", unknown>;
  const places = JSON.stringify({ metadata: py.metadata, refs: py.refs });
  const duck = JSON.parse(await runPython(python, duckdbAnswers(duckdbWithIceberg), [places, asked, access])) as Answered;
  const readers = [
    { reader: "PyIceberg", version: py.version, answers: py.answers },
    { reader: "DuckDB", version: duck.version, answers: duck.answers },
  ];
  const withPolars = await pythonPolars();
  if (withPolars === null) return readers;
  const polars = JSON.parse(await runPython(withPolars, polarsAnswers, [folder, asked, access])) as Answered;
  return [...readers, { reader: "Polars", version: polars.version, answers: polars.answers }];
}

function sparkSettings(folder: string): Record<string, string> {
  return {
    "spark.sql.catalog.sluice": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.sluice.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
    "spark.sql.catalog.sluice.uri": `jdbc:sqlite:${join(folder, "catalog.db")}`,
    "spark.sql.catalog.sluice.warehouse": `file://${folder}`,
    "spark.sql.catalog.sluice.jdbc.schema-version": "V1",
  };
}

async function askSpark(here: SparkHere | null, folder: string, questions: readonly Question[]): Promise<ReaderAnswers[]> {
  if (here === null) return [];
  const asked = withoutRows(questions);
  const spark = (await runSpark(here, sparkAnswers, { settings: sparkSettings(folder), args: [asked] })) as Answered;
  const iceberg = here.jars
    .map((jar) => /iceberg-spark-runtime-[^/]*-([0-9.]+)\.jar$/.exec(basename(jar))?.[1])
    .find((version) => version !== undefined);
  return [{ reader: "Spark", version: `${spark.version} with Iceberg's Java ${iceberg}`, answers: spark.answers }];
}

/** Trino over a REST catalog of the lake; the tables are as Spark left them. */
async function askTrino(url: string, questions: readonly Question[]): Promise<ReaderAnswers[]> {
  const here = await trinoHere();
  if (here === null) return [];
  const trino = await startTrino(here, url);
  try {
    return [{ reader: "Trino", version: trino.version, answers: await trinoAnswers(trino, questions) }];
  } finally {
    await trino.stop();
  }
}

/** The same tables in S3, asked of those readers that can be had for it without more; null where there is no S3 to test with. */
async function askInS3(): Promise<{ readonly questions: readonly Question[]; readonly readers: readonly ReaderAnswers[] } | null> {
  const s3 = await testS3();
  if (s3 === null) return null;
  using scratch = scratchFolder();
  const { bucket, endpoint } = await s3.bucket();
  const place = { uri: `s3://${bucket}/lake`, region: "us-east-1", endpoint: s3.endpoint, pathStyle: true, credentials: s3Keys };
  try {
    const lake = await openLake(scratch.folder, { catalogName: "sluice", s3: place });
    const questions = await makeQuestions(lake, false);
    await lake.close();
    const files = {
      "s3.endpoint": endpoint ?? s3.endpoint,
      "s3.access-key-id": s3Keys.accessKeyId,
      "s3.secret-access-key": s3Keys.secretAccessKey,
      "s3.region": "us-east-1",
    };
    return { questions, readers: await askPython(scratch.folder, questions, files) };
  } finally {
    await s3.close();
  }
}

const isRight = (question: Question, answer: Answer | undefined): boolean =>
  answer !== undefined && "rows" in answer && isDeepStrictEqual(answer.rows, question.rows);

/** Says what was answered otherwise; answers how many were right, and how many not. */
function tally(place: string, questions: readonly Question[], readers: readonly ReaderAnswers[]): { right: number; wrong: number } {
  let right = 0;
  let wrong = 0;
  for (const { reader, answers } of readers) {
    questions.forEach((question, i) => {
      if (isRight(question, answers[i])) right++;
      else {
        wrong++;
        const { topic, what, rows } = question;
        console.log(`${reader}${place}: ${topic}, ${what}: ${JSON.stringify(answers[i])}, not ${JSON.stringify(rows)}`);
      }
    });
  }
  return { right, wrong };
}

async function main(): Promise<number> {
  const here = await sparkHere();
  const catalog = await catalogFixture({ anonymous: "read" });
  const { folder, lake } = catalog;
  const questions = await makeQuestions(lake, here !== null);
  if (here !== null) await runSpark(here, sparkDeletes, { settings: sparkSettings(folder), args: [JSON.stringify(sparkDeletions)] });
  const readers = [
    ...(await askPython(folder, questions, {})),
    ...(await askSpark(here, folder, questions)),
    ...(await askTrino(catalog.url, questions)),
  ];
  await catalog.close();
  const inS3 = await askInS3();
  const page = new URL("../../docs/reference/readers.md", import.meta.url).pathname;
  writeFileSync(page, writeMatrixPage({ questions, readers, inS3, isRight }));
  const local = tally("", questions, readers);
  const far = inS3 === null ? { right: 0, wrong: 0 } : tally(" in S3", inS3.questions, inS3.readers);
  const names = readers.map(({ reader, version }) => `${reader} ${version}`).join(", ") || "no reader";
  console.log(`${local.right + far.right} answers right, ${local.wrong + far.wrong} not, by ${names}`);
  return readers.length > 0 ? 0 : 1;
}

process.exitCode = await main();
