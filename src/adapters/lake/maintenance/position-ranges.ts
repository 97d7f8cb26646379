/** Offsets `[first, last]` of one partition. */
type Range = [first: bigint, last: bigint];

/** Source positions, gathered file by file and kept as runs of offsets: files hold what was next to each other. */
export class PositionRanges {
  readonly #ranges = new Map<string, Range[]>();

  /** Adds positions, each as `<topicId>:<partition>:<offset>`; rows of other programs, which have none, are passed over. */
  add(ids: readonly string[]): void {
    const offsets = new Map<string, bigint[]>();
    for (const id of ids) {
      const [, partition, offset] = /^(.+:\d+):(\d+)$/s.exec(id) ?? [];
      if (partition === undefined || offset === undefined) continue;
      const list = offsets.get(partition);
      if (list === undefined) offsets.set(partition, [BigInt(offset)]);
      else list.push(BigInt(offset));
    }
    for (const [partition, list] of offsets) {
      this.#ranges.set(partition, unite([...(this.#ranges.get(partition) ?? []), ...list.map((offset): Range => [offset, offset])]));
    }
  }

  addAll(other: PositionRanges): void {
    for (const [partition, ranges] of other.#ranges)
      this.#ranges.set(partition, unite([...(this.#ranges.get(partition) ?? []), ...ranges]));
  }

  /** `[first, last]` of each run in decimal, both included, by `<topicId>:<partition>`. */
  toJSON(): Record<string, [string, string][]> {
    return Object.fromEntries(
      [...this.#ranges].map(([partition, ranges]) => [partition, ranges.map(([first, last]) => [first.toString(), last.toString()])]),
    );
  }
}

function unite(ranges: readonly Range[]): Range[] {
  const united: Range[] = [];
  for (const [first, last] of ranges.toSorted((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))) {
    const before = united.at(-1);
    if (before === undefined || first > before[1] + 1n) united.push([first, last]);
    else if (last > before[1]) before[1] = last;
  }
  return united;
}
