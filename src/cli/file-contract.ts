import { createReadStream } from "node:fs";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { type AvroFileSchema, readAvroFileSchema } from "../adapters/files/avro-rows.ts";
import { readAvroSchemas } from "../adapters/files/avro-schemas.ts";
import type { CsvCharacters } from "../adapters/files/csv-records.ts";
import { readCsvHeader } from "../adapters/files/csv-records.ts";
import type { FileFormat, InputFile } from "../adapters/files/file-list.ts";
import { listInputFiles } from "../adapters/files/file-list.ts";
import type { Config } from "../config/config.ts";
import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import type { Gate } from "../gate/gate.ts";
import type { CsvPlan, ValuePlan } from "../core/record-plan.ts";

/** A contract as it judges what files hold, what CSV files are told apart by, and the schemas that Avro files bring. */
export interface FileContract {
  readonly contract: Contract;
  readonly csv: CsvCharacters;
  readonly schemas: readonly AvroFileSchema[];
}

/** What can be looked at of standard input before it is read. */
export interface StreamStart {
  readonly format: FileFormat;
  readonly chunks: () => AsyncIterable<Uint8Array>;
}

const plainCsv: CsvPlan = { format: "csv", columns: [], delimiter: ",", quote: '"', nullToken: "" };

/**
 * Files hold rows, not records of a topic: their own format says how columns come out of them. Parquet, Arrow and CSV rows have no envelope and no key, so that columns which
 * the contract takes from those are the file's columns of their names; Avro files too, by their own schemas, which are resolved to the contract's where it has one. Lines of JSON are records where the
 * contract's are JSON, else rows. `raw` files are records as they stand in the topic. `stream`: standard input, where it is read. Rejects with FILE_UNREADABLE where files differ in kind or columns.
 */
export async function contractForFiles(contract: Contract, files: readonly InputFile[], stream: StreamStart | null): Promise<FileContract> {
  const declared = contract.record?.value.format === "csv" ? contract.record.value : plainCsv;
  const { delimiter, quote } = declared;
  const csv = { delimiter, quote };
  const formats = new Set<FileFormat>(stream === null ? files.map(({ format }) => format) : [stream.format]);
  const plain = { csv, schemas: [] };
  if (formats.has("raw") || formats.has("csv") || formats.has("avro")) {
    if (formats.size > 1)
      throw new SluiceError("FILE_UNREADABLE", `CSV, Avro and raw files stand alone, and these are ${[...formats].join(", ")}`);
    if (formats.has("raw")) return { contract, ...plain };
    if (formats.has("avro")) {
      const schemas = stream === null ? await readAvroSchemas(files) : [await readAvroFileSchema(stream.chunks(), "standard input")];
      return { contract: withoutOutside(contract, avroPlan(contract)), csv, schemas };
    }
    const columns = stream === null ? await commonHeader(files, csv) : await readCsvHeader(stream.chunks(), csv);
    return { contract: withoutOutside(contract, { ...declared, columns }), ...plain };
  }
  if (contract.record === undefined && (contract.format === undefined || contract.format.format === "json")) return { contract, ...plain };
  const isLines = [...formats].every((format) => format === "ndjson");
  const { record } = contract;
  if (!isLines || record?.value.format !== "json" || (record.envelope?.kind === "cloudevents" && record.envelope.mode === "binary"))
    return { contract: withoutOutside(contract, null), ...plain };
  // Lines have no headers that could say that they are whole events.
  const envelope = record.envelope?.kind === "cloudevents" ? { ...record.envelope, mode: "structured" as const } : record.envelope;
  return { contract: { ...contract, record: { ...record, envelope, key: null } }, ...plain };
}

/** How contracts judge what a source holds: files hold rows, in a format of their own. */
export async function fileContracts({ source }: Config): Promise<(contract: Contract) => Promise<Contract>> {
  if (source.kind !== "files") return (contract) => Promise.resolve(contract);
  const files = await listInputFiles(source.paths, source.format ?? null);
  return async (contract) => (await contractForFiles(contract, files, null)).contract;
}

/** A gate that is told of contracts as they judge what its source holds. */
export function adapting(gate: Gate, adapt: (contract: Contract) => Promise<Contract>): Pick<Gate, "changeContract" | "refuseContract"> {
  return {
    changeContract: async (contract) => gate.changeContract(await adapt(contract)),
    refuseContract: (dataset, error) => gate.refuseContract(dataset, error),
  };
}

/** Records by their file's schema, resolved to the contract's own where it has one: of framed records, or of those that it says how to read. */
function avroPlan({ record, format }: Contract): ValuePlan {
  const declared = record?.value ?? format;
  const reader =
    declared?.format === "avro"
      ? (declared.reader ?? declared.schema)
      : declared?.format === "registered" && declared.type === "avro"
        ? declared.reader
        : undefined;
  return { format: "registered", type: "avro", validate: false, ...(reader !== undefined && { reader }) };
}

/** The same contract over plain rows: JSON objects, or as `value` says. */
function withoutOutside(contract: Contract, value: ValuePlan | null): Contract {
  const { record: _record, format: _format, ...rest } = contract;
  const policies = { ...contract.policies, key: { action: "ignore" } as const };
  return { ...rest, policies, ...(value === null ? {} : { record: { value, envelope: null, key: null } }) };
}

async function commonHeader(files: readonly InputFile[], csv: CsvCharacters): Promise<readonly string[]> {
  let common: readonly string[] | null = null;
  for (const file of files) {
    const columns = await headerOf(file, csv);
    const repeated = columns.find((name, i) => columns.indexOf(name) !== i);
    if (repeated !== undefined) throw new SluiceError("FILE_UNREADABLE", `${file.path} has two columns "${repeated}"`);
    if (common !== null && common.join("\n") !== columns.join("\n"))
      throw new SluiceError(
        "FILE_UNREADABLE",
        `${file.path} has other columns (${columns.join(", ")}) than the file before it (${common.join(", ")})`,
      );
    common = columns;
  }
  return common ?? [];
}

async function headerOf({ path, compression }: InputFile, csv: CsvCharacters): Promise<readonly string[]> {
  const bytes = createReadStream(path);
  const unpacked = compression === null ? null : compression === "gzip" ? createGunzip() : createZstdDecompress();
  if (unpacked !== null) bytes.on("error", (cause) => unpacked.destroy(cause));
  try {
    return await readCsvHeader(unpacked === null ? bytes : bytes.pipe(unpacked), csv);
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    throw new SluiceError("FILE_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  } finally {
    bytes.destroy();
    unpacked?.destroy();
  }
}

/** A stream whose first chunks can be looked at before it is read as a whole. */
export class PeekedStream implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #seen: Uint8Array[] = [];

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The chunks as they come, kept for those who read the whole later. */
  async *peek(): AsyncGenerator<Uint8Array> {
    yield* this.#seen;
    for (let step = await this.#chunks.next(); step.done !== true; step = await this.#chunks.next()) {
      this.#seen.push(step.value);
      yield step.value;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield* this.#seen.splice(0);
    for (let step = await this.#chunks.next(); step.done !== true; step = await this.#chunks.next()) yield step.value;
  }
}
