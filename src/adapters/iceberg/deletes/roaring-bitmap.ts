const cookieWithRuns = 12_347;
const cookieWithoutRuns = 12_346;
/** Bitmaps with runs have no offsets below so many containers. */
const offsetsFrom = 4;
/** Containers of more values than this are bitmaps. */
const arrayMax = 4_096;
const containerBits = 65_536;
/** The highest upper half of a position that a number holds exactly. */
const upperMax = 2 ** 20;

/** Called with runs of values in ascending order: the first, and the end, exclusive. */
export type VisitRun = (first: number, end: number) => void;

class Cursor {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#view.byteLength - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#at++);
  }

  u16(): number {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }

  u32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  u64(): bigint {
    this.#at += 8;
    return this.#view.getBigUint64(this.#at - 8, true);
  }

  skip(bytes: number): void {
    if (bytes > this.left) throw new RangeError("a bitmap ends early");
    this.#at += bytes;
  }
}

interface Container {
  readonly base: number;
  readonly cardinality: number;
  readonly isRuns: boolean;
}

function containersOf(cursor: Cursor, upper: number): Container[] {
  const cookie = cursor.u32();
  const hasRuns = (cookie & 0xffff) === cookieWithRuns;
  if (!hasRuns && cookie !== cookieWithoutRuns) throw new RangeError(`a bitmap begins with ${cookie}`);
  const size = hasRuns ? (cookie >>> 16) + 1 : cursor.u32();
  if (size > containerBits) throw new RangeError(`a bitmap has ${size} containers`);
  const flags = Array.from({ length: hasRuns ? Math.ceil(size / 8) : 0 }, () => cursor.u8());
  const isRuns = (i: number): boolean => (((flags[i >> 3] ?? 0) >> (i & 7)) & 1) === 1;
  const containers = Array.from({ length: size }, (_, i) => {
    const base = upper * 2 ** 32 + cursor.u16() * containerBits;
    return { base, cardinality: cursor.u16() + 1, isRuns: isRuns(i) };
  });
  if (!hasRuns || size >= offsetsFrom) cursor.skip(4 * size);
  return containers;
}

function visitContainer(cursor: Cursor, { base, cardinality, isRuns }: Container, visit: VisitRun): number {
  if (isRuns) {
    let total = 0;
    for (let runs = cursor.u16(); runs > 0; runs--) {
      const first = base + cursor.u16();
      const length = cursor.u16() + 1;
      visit(first, first + length);
      total += length;
    }
    return total;
  }
  if (cardinality <= arrayMax) {
    for (let i = 0; i < cardinality; i++) {
      const value = base + cursor.u16();
      visit(value, value + 1);
    }
    return cardinality;
  }
  let total = 0;
  for (let word = 0; word < containerBits; word += 32) {
    for (let bits = cursor.u32(), i = word; bits !== 0; bits >>>= 1, i++) {
      if ((bits & 1) === 0) continue;
      visit(base + i, base + i + 1);
      total++;
    }
  }
  return total;
}

/**
 * Visits the values of a 64-bit Roaring bitmap in its portable form (RoaringFormatSpec, "Extension for 64-bit implementations"); answers how many there
 * are. Throws RangeError on bytes that are none.
 */
export function visitRoaring64(bytes: Uint8Array, visit: VisitRun): number {
  const cursor = new Cursor(bytes);
  let total = 0;
  for (let bitmaps = cursor.u64(); bitmaps > 0n; bitmaps--) {
    const upper = cursor.u32();
    if (upper > upperMax) throw new RangeError(`a bitmap has values from ${upper} * 2^32 on`);
    for (const container of containersOf(cursor, upper)) {
      const visited = visitContainer(cursor, container, visit);
      if (visited !== container.cardinality)
        throw new RangeError(`a container has ${visited} values where ${container.cardinality} were announced`);
      total += visited;
    }
  }
  if (cursor.left > 0) throw new RangeError(`${cursor.left} bytes follow a bitmap`);
  return total;
}
