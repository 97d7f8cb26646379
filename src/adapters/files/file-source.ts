import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey, Position } from "../../core/position.ts";
import { partitionId } from "../../core/position.ts";
import type { Source, SourceListener, StartPoint } from "../../core/ports.ts";
import { allocateRecords, recordsBytes } from "../../core/records.ts";
import { ByteAllowance } from "./byte-allowance.ts";
import type { CsvCharacters } from "./csv-records.ts";
import type { FileContent } from "./file-content.ts";
import { identifyFile, nameFile } from "./file-content.ts";
import type { FileFormat, InputFile } from "./file-list.ts";
import { listInputFiles } from "./file-list.ts";
import type { Track } from "./file-track.ts";
import { endPartition, placeTrack, rowsPartition, trackFile } from "./file-track.ts";
import { ChunkPool, type FileRows } from "./ndjson-lines.ts";
import { trackStream } from "./standard-input.ts";

/** What a file source reads and how much of it may be in memory. */
export interface FileSourceOptions {
  /** The topic that the contract names: what the records are of. */
  readonly topic: string;
  /** Files and folders in the order they are read; `-` is standard input. */
  readonly paths: readonly string[] | "-";
  /** What they hold, whatever their names; default: as each name says, and NDJSON on standard input. */
  readonly format?: FileFormat;
  /** Default: a comma and a double quote. */
  readonly csv?: CsvCharacters;
  readonly bytesInFlightMax: number;
  /** Whether bytes of lines are overwritten once their run is released: for those who have copied them by then. Default: no. */
  readonly reuseMemory?: boolean;
  /** What a file is known by. Default: its content; by its path, it is not read twice, and nothing can be resumed. */
  readonly identity?: "content" | "path";
  /** A longer line stops the source with SOURCE_OVERSIZED. Default 64 MiB. */
  readonly recordBytesMax?: number;
  /** Default 8192. */
  readonly runRowsMax?: number;
  /**
   * Every position that the table has of this topic, as of now: by these files that were read are known without asking for each, and a file that
   * changed after it was partly read is noticed. Default: none.
   */
  readonly positions?: () => Promise<readonly Position[]>;
  /** Default: the process's own. */
  readonly input?: AsyncIterable<Uint8Array>;
}

const plainCsv: CsvCharacters = { delimiter: ",", quote: '"' };
const revokeDeadlineMs = 30_000;
const retryMs = 1000;

/**
 * Files as a source. A file is its content: its SHA-256 is the topic id, the row (or 0-based line) the offset, so a file that was read is not read again
 * under another name or in another place of the order, and a new one is read wherever its name sorts. Reading a file to its end moves a second
 * position, partition 1, from 0 to 1 and supersedes the position of its rows. A partly read file that changed or went away blocks the topic with
 * SOURCE_IDENTITY_CHANGED. Standard input can't resume: see `resumable`.
 */
export function createFileSource(options: FileSourceOptions): Source & { readonly resumable: boolean } {
  return new FileSource(options);
}

class FileSource implements Source {
  readonly resumable: boolean;
  readonly #options: FileSourceOptions;
  readonly #allowance: ByteAllowance;
  readonly #contents = new Map<string, FileContent>();
  readonly #paused = new Set<string>();
  #files: readonly InputFile[] = [];
  #stream: Track | null = null;
  #tracks: Track[] = [];
  #assigned: PartitionKey[] = [];
  #listener: SourceListener | null = null;
  /** Rises when positions change under the reader: what it holds is void. */
  #epoch = 0;
  #isClosed = false;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.resumable = options.paths !== "-";
    this.#allowance = new ByteAllowance(options.bytesInFlightMax);
  }

  async start(listener: SourceListener): Promise<void> {
    const { paths, topic, input, format } = this.#options;
    if (paths === "-") this.#stream = trackStream(topic, input ?? process.stdin, format ?? "ndjson");
    else this.#files = await listInputFiles(paths, format ?? null);
    this.#listener = listener;
    this.#reading = this.#readOn(listener);
  }

  /** Files have no late joiners: every starting point is the first row. */
  resolve(partitions: readonly PartitionKey[], _start: StartPoint): Promise<readonly Position[]> {
    return Promise.resolve(partitions.map((key) => ({ ...key, next: 0n })));
  }

  /** The table's positions are all there is. */
  commit(): Promise<void> {
    return Promise.resolve();
  }

  pause(partitions: readonly PartitionKey[]): void {
    for (const key of partitions) this.#paused.add(partitionId(key));
  }

  resume(partitions: readonly PartitionKey[]): void {
    for (const key of partitions) this.#paused.delete(partitionId(key));
    this.#allowance.wake();
  }

  seek(positions: readonly Position[]): void {
    this.#epoch++;
    for (const track of this.#tracks) {
      for (const position of positions) if (position.topicId === track.rows.topicId) placeTrack(track, position);
    }
    this.#allowance.wake();
  }

  ends(): readonly Position[] {
    return this.#tracks.flatMap(({ rows, total }) => (total === null ? [] : [{ ...rows, next: total }]));
  }

  bytesInFlight(): number {
    return this.#allowance.takenBytes;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#epoch++;
    this.#allowance.wake();
    // Standard input may have nothing to say for ever: its reader is not waited for.
    if (this.resumable) await this.#reading;
    else if (this.#options.input === undefined) process.stdin.destroy();
    if (this.#assigned.length > 0) await this.#listener?.revoked(this.#assigned, revokeDeadlineMs);
    this.#assigned = [];
  }

  /** Reads everything, and again from wherever a seek goes back to, until closed. */
  async #readOn(listener: SourceListener): Promise<void> {
    while (!this.#isClosed) {
      const epoch = this.#epoch;
      try {
        if (await this.#readAll(listener, epoch)) listener.ended();
      } catch (fault) {
        if (!(fault instanceof SluiceError)) throw fault;
        if (fault.retryable) {
          listener.trouble(fault);
          await Promise.race([sleep(retryMs), this.#allowance.change()]);
          listener.trouble(null);
          continue;
        }
        // What a changed file is now has to be looked at again.
        this.#contents.clear();
        if (fault.code === "SOURCE_IDENTITY_CHANGED") this.#tracks = this.#tracks.filter((track) => track.isFinished);
        listener.blocked({ topic: this.#options.topic, partition: null, error: fault });
      }
      while (epoch === this.#epoch) await this.#allowance.change();
    }
  }

  /** True if every input was handed out to its end; false if a seek came between. */
  async #readAll(listener: SourceListener, epoch: number): Promise<boolean> {
    const known = ((await this.#options.positions?.()) ?? []).filter((each) => each.topic === this.#options.topic);
    const ended = new Set(known.flatMap((each) => (each.partition === endPartition && each.next > 0n ? [each.topicId] : [])));
    await this.#checkPartlyRead(listener, known, ended);
    const seen = new Set<string>();
    for (const next of this.#stream === null ? this.#files : [this.#stream]) {
      const track = "rows" in next ? next : await this.#trackOf(next, ended);
      if (this.#isClosed || epoch !== this.#epoch) return false;
      if (track === null || seen.has(track.rows.topicId)) continue;
      seen.add(track.rows.topicId);
      if (!this.#tracks.includes(track)) await this.#assign(listener, track, epoch);
      while (!track.isPlaced && !track.isFinished && epoch === this.#epoch) await this.#allowance.change();
      if (epoch !== this.#epoch) return false;
      if (!track.isFinished && !(await this.#readTrack(listener, track, epoch))) return false;
    }
    return true;
  }

  /** A file that was begun and not finished has to be there still, as it was. */
  async #checkPartlyRead(listener: SourceListener, known: readonly Position[], ended: ReadonlySet<string>): Promise<void> {
    if (this.#stream !== null) return;
    const begun = known.filter((each) => each.partition === rowsPartition && each.next > 0n && !ended.has(each.topicId));
    const missing = new Map(begun.map((each) => [each.topicId, each]));
    for (const track of this.#tracks) missing.delete(track.rows.topicId);
    for (const file of this.#files) {
      if (missing.size === 0) return;
      missing.delete((await this.#contentOf(file)).topicId);
    }
    const [position] = missing.values();
    if (position === undefined) return;
    // It is ours to ask about, so that the answer comes back as a seek.
    this.#own([position]);
    await listener.assigned([position]);
    throw new SluiceError(
      "SOURCE_IDENTITY_CHANGED",
      `a file of ${position.topic} that was read up to row ${position.next} is gone or has changed: no file has the content ${position.topicId}`,
      { details: { topic: position.topic, topicId: position.topicId } },
    );
  }

  #own(keys: readonly PartitionKey[]): void {
    const ids = new Set(this.#assigned.map(partitionId));
    this.#assigned.push(...keys.filter((key) => !ids.has(partitionId(key))));
  }

  async #contentOf(file: InputFile): Promise<FileContent> {
    const before = this.#contents.get(file.path);
    if (before !== undefined) return before;
    const content = await (this.#options.identity === "path" ? nameFile(file) : identifyFile(file));
    this.#contents.set(file.path, content);
    return content;
  }

  /** Null for a file that the table says was read. */
  async #trackOf(file: InputFile, ended: ReadonlySet<string>): Promise<Track | null> {
    const content = await this.#contentOf(file);
    const before = this.#tracks.find((track) => track.rows.topicId === content.topicId);
    if (before !== undefined) return before;
    return ended.has(content.topicId) ? null : trackFile(this.#options.topic, file, content);
  }

  async #assign(listener: SourceListener, track: Track, epoch: number): Promise<void> {
    this.#tracks.push(track);
    this.#own([track.rows, track.end]);
    const positions = await listener.assigned([track.rows, track.end]).catch((fault: unknown) => {
      this.#tracks = this.#tracks.filter((each) => each !== track);
      throw fault;
    });
    // A seek that came meanwhile knows better.
    if (epoch === this.#epoch || !track.isPlaced) for (const position of positions) placeTrack(track, position);
  }

  async #readTrack(listener: SourceListener, track: Track, epoch: number): Promise<boolean> {
    const { recordBytesMax = 64 << 20, runRowsMax = 8192, bytesInFlightMax, csv = plainCsv } = this.#options;
    // Larger pieces are fewer turns and fuller chunks; of much larger ones the engine's copy would not stay in its cache.
    const chunkBytes = Math.min(2 << 20, Math.max(1 << 16, bytesInFlightMax >> 2));
    const pool = this.#options.reuseMemory === true ? new ChunkPool() : null;
    for await (const rows of track.open({ recordBytesMax, runRowsMax }, { chunkBytes, csv, pool })) {
      if (!(await this.#room(track, recordsBytes(rows.records), epoch))) return false;
      this.#hand(listener, track, rows);
    }
    if (!(await this.#room(track, 0, epoch))) return false;
    this.#finish(listener, track);
    return true;
  }

  /** Waits until bytes may go out; false if a seek or the end came first. */
  async #room(track: Track, bytes: number, epoch: number): Promise<boolean> {
    while (epoch === this.#epoch && (this.#paused.has(partitionId(track.rows)) || !this.#allowance.fits(bytes)))
      await this.#allowance.change();
    return epoch === this.#epoch;
  }

  #hand(listener: SourceListener, track: Track, { records, next, recycle }: FileRows): void {
    const giveBack = this.#allowance.take(recordsBytes(records));
    const release = (): void => {
      giveBack();
      recycle?.();
    };
    const from = [{ ...track.rows, next: track.next }];
    track.next = next;
    listener.records({ records, from, next: [{ ...track.rows, next }], supersedes: [], release });
  }

  #finish(listener: SourceListener, track: Track): void {
    track.isFinished = true;
    track.total = track.next;
    const records = allocateRecords(0, new Uint8Array(0), [track.rows]);
    const release = this.#allowance.take(0);
    listener.records({
      records,
      from: [{ ...track.end, next: 0n }],
      next: [{ ...track.end, next: 1n }],
      supersedes: [track.rows],
      release,
    });
  }
}
