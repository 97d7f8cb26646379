import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** Rows of text in aligned columns, two spaces apart; columns whose every cell is a number stand to the right. Header first. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const width = (cell: string): number => stripVTControlCharacters(cell).length;
  const widths = header.map((title, column) => Math.max(width(title), ...rows.map((row) => width(row[column] ?? ""))));
  const numeric = header.map((_title, column) => rows.length > 0 && rows.every((row) => /^[\d,.%-]*$/.test(row[column] ?? "")));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const space = " ".repeat((widths[column] ?? 0) - width(cell));
        return numeric[column] === true ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd();
  return [line(header), ...rows.map(line)];
}

/** 1234567 as `1,234,567`. */
export function formatCount(value: number | bigint): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A share of a whole: `0.42%`, `<0.01%` for what would round to nothing. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0 || part === 0) return "0%";
  const percent = (part / whole) * 100;
  if (percent < 0.01) return "<0.01%";
  return `${percent >= 10 ? percent.toFixed(1) : percent.toFixed(2)}%`;
}

/** A moment as `2026-01-31 12:00:00Z`. */
export function formatTime(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
}

/** Text of records, safe to print: control characters become visible, so that no record moves the cursor or changes colours. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return character === "\n" ? "\\n" : character === "\t" ? "\\t" : character === "\r" ? "\\r" : `\\u${code}`;
  });
}

/** A path as a person here would type it: relative where that is shorter and goes down only. */
export function shortPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near || ".";
}

/** Bytes for people: three digits or so, in the largest unit that fits. */
export function formatBytes(bytes: number | bigint): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = Number(bytes);
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
