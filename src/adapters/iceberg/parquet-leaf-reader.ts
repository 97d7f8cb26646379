import type { ColumnChunk, ColumnMetaData, DecodedArray, FileMetaData, SchemaTree } from "hyparquet";
import { parquetMetadataAsync, parquetSchema } from "hyparquet";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { decompressPage, readDataPage, readDataPageV2 } from "hyparquet/src/datapage.js";
import { getTreePath } from "hyparquet/src/schema.js";
import { SluiceError } from "../../core/errors.ts";
import type { Storage } from "../../core/storage.ts";
import type { LeafPath } from "./leaf-levels.ts";
import { definitionMax, repetitionMax, stepsOfFile } from "./leaf-levels.ts";
import { asyncBuffer, parquetCompressors } from "./parquet-buffer.ts";

/** A stretch of physical values: numbers, bigints, booleans or bytes as Parquet's physical type has them. */
export type PhysicalValues = ArrayLike<number | bigint | boolean | Uint8Array>;

/** One leaf of one row group as pages hold it. */
export interface LeafPages {
  /** In order, of every page. */
  readonly values: PhysicalValues[];
  /** A level a slot; null where the leaf can't be absent, or repeated. */
  readonly definitions: Uint8Array | null;
  readonly repetitions: Uint8Array | null;
  readonly slots: number;
}

interface FileLeaf {
  readonly name: string;
  readonly steps: LeafPath["steps"];
  readonly schemaPath: SchemaTree[];
}

/** A Parquet file whose leaves are read one at a time, by field id, as values and levels. */
export class LeafReader {
  readonly #storage: Storage;
  readonly #path: string;
  readonly #metadata: FileMetaData;
  readonly #leaves = new Map<number, FileLeaf>();

  /** Rejects with NOT_FOUND, STORAGE_FAILED; with TABLE_UNSUPPORTED for files without field ids. */
  static async open(storage: Storage, path: string): Promise<LeafReader> {
    return new LeafReader(storage, path, await parquetMetadataAsync(await asyncBuffer(storage, path)));
  }

  private constructor(storage: Storage, path: string, metadata: FileMetaData) {
    this.#storage = storage;
    this.#path = path;
    this.#metadata = metadata;
    const tree = parquetSchema(metadata);
    for (const chunk of metadata.row_groups[0]?.columns ?? []) {
      const names = chunk.meta_data?.path_in_schema ?? [];
      const schemaPath = getTreePath(tree, names);
      const elements = schemaPath.slice(1).map(({ element }) => element);
      const id = elements.at(-1)?.field_id;
      if (id === undefined) throw new SluiceError("TABLE_UNSUPPORTED", `${path} has no field ids`);
      this.#leaves.set(id, { name: names.join("."), steps: stepsOfFile(elements), schemaPath });
    }
  }

  /** Rows and uncompressed bytes of each row group. */
  get rowGroups(): readonly { readonly rows: number; readonly bytes: number }[] {
    return this.#metadata.row_groups.map((group) => ({ rows: Number(group.num_rows), bytes: Number(group.total_byte_size) }));
  }

  /** The steps to a leaf in this file; null where it does not have the leaf. */
  stepsOf(id: number): LeafPath["steps"] | null {
    return this.#leaves.get(id)?.steps ?? null;
  }

  /** Field ids of the file's leaves. */
  get leafIds(): readonly number[] {
    return [...this.#leaves.keys()];
  }

  /** Reads one leaf of a row group whole. Rejects with TABLE_CORRUPT on damage. */
  async read(group: number, id: number): Promise<LeafPages> {
    const leaf = this.#leaves.get(id) as FileLeaf;
    const chunk = this.#metadata.row_groups[group]?.columns.find(({ meta_data: found }) => found?.path_in_schema.join(".") === leaf.name);
    const metadata = (chunk as ColumnChunk).meta_data as ColumnMetaData;
    const first = Number(metadata.dictionary_page_offset ?? metadata.data_page_offset);
    // Some writers leave the dictionary's place out.
    const start = Math.min(first, Number(metadata.data_page_offset));
    const bytes = await this.#storage.readRange(this.#path, start, start + Number(metadata.total_compressed_size));
    try {
      return decodeChunk(bytes, metadata, leaf);
    } catch (fault) {
      if (fault instanceof SluiceError) throw fault;
      throw new SluiceError("TABLE_CORRUPT", `${this.#path} can't be read: ${(fault as Error).message}`, { cause: fault });
    }
  }
}

function decodeChunk(bytes: Uint8Array, metadata: ColumnMetaData, { schemaPath, steps, name }: FileLeaf): LeafPages {
  const { codec, type, num_values: total } = metadata;
  const element = (schemaPath.at(-1) as SchemaTree).element;
  const decoder = {
    pathInSchema: name.split("."),
    type,
    element,
    schemaPath,
    codec,
    compressors: parquetCompressors,
  } as unknown as Parameters<typeof readPage>[2];
  const slots = Number(total);
  const optional = definitionMax(steps);
  const definitions = optional === 0 ? null : new Uint8Array(slots);
  const repetitions = repetitionMax(steps) === 0 ? null : new Uint8Array(slots);
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const values: PhysicalValues[] = [];
  let dictionary: DecodedArray | undefined;
  let slot = 0;
  while (slot < slots) {
    const header = parquetHeader(reader);
    if (header.type === "DICTIONARY_PAGE") {
      dictionary = readPage(reader, header, decoder, undefined, undefined, 0).data;
      continue;
    }
    const body = new Uint8Array(reader.view.buffer, reader.view.byteOffset + reader.offset, header.compressed_page_size);
    reader.offset += header.compressed_page_size;
    const { data_page_header: v1, data_page_header_v2: v2 } = header;
    const about = v1 ?? v2;
    if (about === undefined) continue;
    const page =
      v1 === undefined
        ? readDataPageV2(body, header, decoder)
        : readDataPage(decompressPage(body, Number(header.uncompressed_page_size), codec, parquetCompressors), v1, decoder);
    const count = about.num_values;
    // An empty list of levels: every value is there, or every slot begins a row.
    if (definitions !== null) {
      if (page.definitionLevels === undefined || page.definitionLevels.length === 0) definitions.fill(optional, slot, slot + count);
      else definitions.set(page.definitionLevels, slot);
    }
    if (repetitions !== null) repetitions.set(page.repetitionLevels, slot);
    values.push(about.encoding.endsWith("_DICTIONARY") ? fromDictionary(page.dataPage, dictionary) : (page.dataPage as PhysicalValues));
    slot += count;
  }
  return { values, definitions, repetitions, slots };
}

function fromDictionary(indexes: DecodedArray, dictionary: DecodedArray | undefined): PhysicalValues {
  if (dictionary === undefined) throw new RangeError("a page refers to a dictionary that is not there");
  const entries = dictionary as ArrayLike<number | bigint | boolean | Uint8Array>;
  return Array.from(indexes as ArrayLike<number>, (index) => {
    const value = entries[index];
    if (value === undefined) throw new RangeError(`a page refers to entry ${index} of a dictionary of ${entries.length}`);
    return value;
  });
}
