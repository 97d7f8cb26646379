/** A folder of `src/` whose imports are judged: `core`, `gate`, `adapters/kafka` and so on. */
export interface Room {
  readonly name: string;
  /** Rooms it may import besides itself; everything that is not named is denied. */
  readonly imports: readonly string[];
  /** Pure rooms hold no I/O, clock or randomness; those come in as arguments. */
  readonly pure: boolean;
}

const pureRooms: readonly Room[] = [
  { name: "core", imports: [], pure: true },
  { name: "wasm", imports: ["core"], pure: true },
  { name: "regex", imports: ["core"], pure: true },
  { name: "cel", imports: ["core"], pure: true },
  { name: "sketches", imports: ["core", "wasm"], pure: true },
  { name: "codecs", imports: ["core", "sketches", "wasm"], pure: true },
  { name: "rules", imports: ["core", "sketches", "wasm", "regex", "cel"], pure: true },
  { name: "parquet", imports: ["core", "wasm"], pure: true },
  { name: "arrow", imports: ["core"], pure: true },
  { name: "drift", imports: ["core", "sketches"], pure: true },
  { name: "contract", imports: ["core", "regex", "cel", "drift"], pure: true },
  { name: "trace", imports: ["core"], pure: true },
  { name: "incidents", imports: ["core"], pure: true },
];

/** Adapters that are layers of one another; any other adapter imports core and itself only. */
const adapterLayers: Readonly<Record<string, readonly string[]>> = {
  lake: ["adapters/iceberg", "adapters/catalog", "adapters/storage"],
  catalog: ["adapters/iceberg", "adapters/storage", "adapters/http-client"],
  registry: ["adapters/http-client"],
  alerts: ["adapters/http-client"],
  iceberg: ["adapters/storage", "parquet", "sketches"],
};

const outerRooms: readonly Room[] = [
  {
    name: "gate",
    imports: ["core", "codecs", "rules", "drift", "sketches", "contract", "wasm", "parquet", "arrow", "incidents"],
    pure: false,
  },
  { name: "config", imports: ["core"], pure: false },
  { name: "http", imports: ["core", "config"], pure: false },
  { name: "rest-catalog", imports: ["core", "adapters/iceberg", "adapters/catalog"], pure: false },
];

/** The one room that wires all others. */
const wiringRoom = "cli";

/** Packages that pure rooms may use: they compute and do nothing else. */
export const purePackages: readonly string[] = [
  "@bufbuild/cel",
  "@bufbuild/protobuf",
  "@platformatic/wasm-utils",
  "ajv",
  "ajv-formats",
  "apache-arrow",
  "fastest-levenshtein",
  "protobufjs",
  "re2js",
  "simple-statistics",
  "yaml",
];

/** Node modules that pure rooms may use, and which of their exports (null: all). */
export const pureModules: Readonly<Record<string, readonly string[] | null>> = {
  "node:buffer": ["Buffer"],
  "node:crypto": ["createHash", "hash"],
  "node:path/posix": ["basename", "dirname", "extname", "join", "normalize"],
  "node:util": ["isDeepStrictEqual", "TextDecoder", "TextEncoder"],
  "node:zlib": ["constants", "crc32", "inflateRawSync", "zstdCompressSync", "zstdDecompressSync"],
};

/** Files of pure rooms that may use one more module: what loads pure packages when they are needed. */
export const pureLoaders: Readonly<Record<string, string>> = { "src/core/library.ts": "node:module" };

/** The room of a file given by its path below `src/`, with `/`; null for a room that the table does not know. */
export function roomOf(path: string): string | null {
  const [first, second] = path.split("/");
  if (first === undefined || second === undefined) return null;
  if (first === "adapters") return path.split("/").length > 2 ? `adapters/${second}` : null;
  if (first === wiringRoom) return wiringRoom;
  return [...pureRooms, ...outerRooms].some((room) => room.name === first) ? first : null;
}

/** Whether a file of room `from` may import one of room `to`. */
export function mayImport(from: string, to: string): boolean {
  if (from === to || from === wiringRoom) return true;
  if (from.startsWith("adapters/")) {
    return to === "core" || (adapterLayers[from.slice("adapters/".length)] ?? []).includes(to);
  }
  const room = [...pureRooms, ...outerRooms].find((one) => one.name === from);
  return room?.imports.includes(to) === true;
}

/** Whether a room must stay free of I/O, clock and randomness. */
export function isPure(room: string): boolean {
  return pureRooms.some((one) => one.name === room);
}
