import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findOnPath } from "../../../src/adapters/broker/broker-facts.ts";
import { cacheFolder } from "../../../src/adapters/broker/cache-folder.ts";
import { runCommand } from "../../../src/adapters/broker/run-command.ts";
import { withLock } from "./lock.ts";

const requirements = new URL("requirements.txt", import.meta.url).pathname;

/** Whether the machine has a Python to make the readers with: `describe.skipIf(!pythonHere)`. */
export const pythonHere: boolean = findOnPath("python3", process.env) !== null;

/**
 * The interpreter of a virtual environment with PyIceberg, PyArrow and DuckDB (with its iceberg and httpfs extensions), made by pip in the cache by the first
 * caller (about a minute, once a machine). Null, with a plain message, where there is no python3. Rejects where pip fails.
 */
export function pythonReaders(): Promise<string | null> {
  return pythonWith("readers", requirements);
}

const sketchRequirements = new URL("sketch-requirements.txt", import.meta.url).pathname;

/** The interpreter of a virtual environment with Apache DataSketches, made in the same way; null also where pip can't get it. */
export async function pythonSketches(): Promise<string | null> {
  try {
    return await pythonWith("sketches", sketchRequirements);
  } catch (error) {
    console.warn(`tests with DataSketches are skipped: ${(error as Error).message}`);
    return null;
  }
}

const s3Requirements = new URL("s3-requirements.txt", import.meta.url).pathname;

/** The interpreter of a virtual environment with Moto, whose server speaks S3, made in the same way; null also where pip can't get it. */
export async function pythonS3(): Promise<string | null> {
  try {
    return await pythonWith("s3", s3Requirements);
  } catch (error) {
    console.warn(`tests with S3 are skipped: ${(error as Error).message}`);
    return null;
  }
}

const avroRequirements = new URL("avro-requirements.txt", import.meta.url).pathname;

/** The interpreter of a virtual environment with fastavro, made in the same way; null also where pip can't get it. */
export async function pythonAvro(): Promise<string | null> {
  try {
    return await pythonWith("avro", avroRequirements);
  } catch (error) {
    console.warn(`tests with fastavro are skipped: ${(error as Error).message}`);
    return null;
  }
}

const matrixRequirements = new URL("matrix-requirements.txt", import.meta.url).pathname;

/** The interpreter of a virtual environment with Polars and PyIceberg, made in the same way; null also where pip can't get it. */
export async function pythonPolars(): Promise<string | null> {
  try {
    return await pythonWith("matrix", matrixRequirements);
  } catch (error) {
    console.warn(`Polars is left out: ${(error as Error).message}`);
    return null;
  }
}

const scipyRequirements = new URL("scipy-requirements.txt", import.meta.url).pathname;

/** The interpreter of a virtual environment with SciPy, made in the same way; null also where pip can't get it. */
export async function pythonScipy(): Promise<string | null> {
  try {
    return await pythonWith("scipy", scipyRequirements);
  } catch (error) {
    console.warn(`tests against SciPy are skipped: ${(error as Error).message}`);
    return null;
  }
}

const sparkRequirements = new URL("../../spark/requirements.txt", import.meta.url).pathname;

/** The interpreter of a virtual environment with Apache Spark, made in the same way (430 MB); null also where pip can't get it. */
export async function pythonSpark(): Promise<string | null> {
  try {
    // Spark is published as its source package only.
    return await pythonWith("spark", sparkRequirements, ["--no-binary", "pyspark"]);
  } catch (error) {
    console.warn(`Spark's test is skipped: ${(error as Error).message}`);
    return null;
  }
}

async function pythonWith(name: string, required: string, options: readonly string[] = []): Promise<string | null> {
  const python = findOnPath("python3", process.env);
  if (python === null) {
    console.warn(`tests with Python's ${name} are skipped: there is no python3 on the PATH`);
    return null;
  }
  const version = (await runCommand(python, ["-c", "import sys; print(sys.version, sys.base_prefix)"])).stdout;
  const key = createHash("sha256").update(readFileSync(required)).update(version).digest("hex").slice(0, 12);
  const folder = join(cacheFolder(), `python-${name}-${key}`);
  const stamp = join(folder, "complete");
  const interpreter = join(folder, "bin/python");
  if (existsSync(stamp)) return interpreter;
  mkdirSync(dirname(folder), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(stamp)) return;
    rmSync(folder, { recursive: true, force: true });
    await must(python, ["-m", "venv", folder]);
    await must(interpreter, ["-m", "pip", "install", "--quiet", "--no-input", "--only-binary", ":all:", ...options, "-r", required]);
    writeFileSync(stamp, "");
  });
  return interpreter;
}

/** Python lines that give a DuckDB connection `duck` with its iceberg extension loaded from the installed wheels, without any download. */
export const duckdbWithIceberg = `
import duckdb, glob, os, importlib.util
duck = duckdb.connect()
for _name in ("httpfs", "avro", "iceberg"):
    _folder = os.path.dirname(importlib.util.find_spec("duckdb_extension_" + _name).origin)
    duck.load_extension(glob.glob(os.path.join(_folder, "extensions", "*", _name + ".duckdb_extension"))[0])
`;

async function must(program: string, args: readonly string[]): Promise<void> {
  const result = await runCommand(program, args);
  if (result.status !== 0) throw new Error(`${program} ${args.join(" ")} failed:\n${result.stdout}${result.stderr}`);
}

/** Runs a Python script with the readers; `args` are its arguments. Resolves with its standard output; rejects with its error. */
export async function runPython(interpreter: string, script: string, args: readonly string[] = []): Promise<string> {
  const result = await runCommand(interpreter, ["-c", script, ...args]);
  if (result.status !== 0) throw new Error(`the Python script failed:\n${result.stderr}`);
  return result.stdout;
}
