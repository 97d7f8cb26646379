/** Cells of the table of common lines; texts whose differing middles need more are shown as replaced whole. */
const cellsMax = 4_000_000;

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Lengths of the longest common subsequences of the ends of two lists: `lengths[i * (m + 1) + j]` of `a` from i and `b` from j. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint32Array {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] =
        a[i] === b[j] ? (lengths[at + width + 1] as number) + 1 : Math.max(lengths[at + width] as number, lengths[at + 1] as number);
    }
  }
  return lengths;
}

function diffMiddle(a: readonly string[], b: readonly string[]): Line[] {
  const removed = (text: string): Line => ({ sign: "-", text });
  const added = (text: string): Line => ({ sign: "+", text });
  if (a.length * b.length > cellsMax) return [...a.map(removed), ...b.map(added)];
  const lengths = commonLengths(a, b);
  const width = b.length + 1;
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ sign: " ", text: a[i] as string });
      i++;
      j++;
    } else if ((lengths[(i + 1) * width + j] as number) >= (lengths[i * width + j + 1] as number)) lines.push(removed(a[i++] as string));
    else lines.push(added(b[j++] as string));
  }
  return [...lines, ...a.slice(i).map(removed), ...b.slice(j).map(added)];
}

/** Where a line's neighbourhood differs: only those lines are shown. */
function hunks(lines: readonly Line[], context: number): readonly (readonly [from: number, to: number])[] {
  const found: [number, number][] = [];
  lines.forEach(({ sign }, at) => {
    if (sign === " ") return;
    const [from, to] = [Math.max(0, at - context), Math.min(lines.length, at + context + 1)];
    const last = found.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else found.push([from, to]);
  });
  return found;
}

/**
 * How one text becomes another, as the hunks of a unified diff (`diff -u`, without its two header lines): a least set of lines taken out and put in, with
 * `context` unchanged lines around. Empty for equal texts.
 */
export function diffLines(before: string, after: string, context = 2): readonly string[] {
  const a = before.split(/\r?\n/);
  const b = after.split(/\r?\n/);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const same = (lines: readonly string[]): Line[] => lines.map((text) => ({ sign: " ", text }));
  const middle = diffMiddle(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const lines = [...same(a.slice(0, head)), ...middle, ...same(a.slice(a.length - tail))];
  return hunks(lines, context).flatMap(([from, to]) => {
    const earlier = lines.slice(0, from);
    const shown = lines.slice(from, to);
    const start = (sign: "-" | "+"): number => earlier.filter((line) => line.sign !== (sign === "-" ? "+" : "-")).length + 1;
    const count = (sign: "-" | "+"): number => shown.filter((line) => line.sign !== (sign === "-" ? "+" : "-")).length;
    const title = `@@ -${start("-")},${count("-")} +${start("+")},${count("+")} @@`;
    return [title, ...shown.map(({ sign, text }) => `${sign}${text}`)];
  });
}
