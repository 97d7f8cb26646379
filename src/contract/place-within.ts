/** How a YAML scalar is written, as the `yaml` package names it. */
export type ScalarStyle = "PLAIN" | "QUOTE_SINGLE" | "QUOTE_DOUBLE" | "BLOCK_LITERAL" | "BLOCK_FOLDED";

/**
 * Where in a document a character of a scalar's value stands. Folding and indentation change only white space, so the other characters are
 * counted; `from` is where the scalar begins. Escapes of double quotes are taken as one character each.
 */
export function placeWithin(document: string, from: number, style: ScalarStyle, value: string, offset: number): number {
  let left = 0;
  for (let i = 0; i < Math.min(offset, value.length); i++) if (!isBlank(value[i] as string)) left++;
  let at = from;
  if (style === "BLOCK_LITERAL" || style === "BLOCK_FOLDED") at = document.indexOf("\n", from) + 1;
  else if (style !== "PLAIN") at++;
  // The character itself, or behind the last one.
  const ends = value.slice(offset).trim() === "";
  for (let last = at; at < document.length; at++) {
    const c = document[at] as string;
    if (isBlank(c)) continue;
    if (left === 0) return ends ? last : at;
    if (style === "QUOTE_DOUBLE" && c === "\\") at++;
    else if (style === "QUOTE_SINGLE" && c === "'") at++;
    left--;
    last = at + 1;
    if (left === 0 && ends) return last;
  }
  return from;
}

function isBlank(c: string): boolean {
  return c === " " || c === "\n" || c === "\r" || c === "\t";
}
