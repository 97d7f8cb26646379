import { textFormats as namedFormats } from "../core/text-format.ts";
import { RE2JS } from "re2js";
import { suggestion } from "./nearest-name.ts";

const patternCharactersMax = 2000;
const repeatsMax = 20_000;

/** Formats of text: ODCS's own (password says nothing about the text, byte and binary make the column binary), and those of rules. */
export const textFormats: readonly string[] = ["password", "byte", "binary", ...namedFormats.map((each) => each.name)];

/** Why a pattern can't be used, with what to do; null for a good one. Patterns are RE2's: matching takes time linear in the text. */
export function patternProblem(pattern: string): { readonly message: string; readonly hint: string | null } | null {
  if (pattern.length > patternCharactersMax) return { message: `the pattern has more than ${patternCharactersMax} characters`, hint: null };
  if (repeatedSize(pattern) > repeatsMax)
    return { message: "the pattern's repetitions multiply to too much", hint: "lower the counts in {}" };
  try {
    RE2JS.compile(pattern);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
    return { message: `the pattern can't be used: ${reason}`, hint: advice(pattern) };
  }
}

function advice(pattern: string): string | null {
  if (/\(\?<?[=!]/.test(pattern)) {
    return "lookaheads and lookbehinds are not in RE2: split it into several rules, or use a rule of check `condition`";
  }
  if (/\\[1-9]|\\k</.test(pattern)) return "backreferences are not in RE2: compare two columns, or use a JSON Schema without them";
  if (/\\u/.test(pattern)) return "RE2 writes \\uFFFF as \\x{FFFF}";
  if (/[*+?}][+]/.test(pattern)) return "possessive quantifiers are not in RE2; its matching is linear without them";
  return "the syntax is RE2's";
}

/** An upper bound of how far counted repetitions blow a pattern up: the product of all counts. */
function repeatedSize(pattern: string): number {
  let size = 1;
  for (const match of pattern.matchAll(/\{([0-9]{1,6})(?:,([0-9]{0,6}))?\}/g)) {
    size = Math.min(Number.MAX_SAFE_INTEGER, size + Math.max(Number(match[1]), Number(match[2] ?? 0)) * 10);
  }
  // Nested counts multiply; unnested ones only add, so the product is tried only where a group is repeated.
  if (!/\)[*+?]?\{/.test(pattern)) return size;
  let product = 1;
  for (const match of pattern.matchAll(/\{([0-9]{1,6})(?:,([0-9]{0,6}))?\}/g)) {
    product = Math.min(Number.MAX_SAFE_INTEGER, product * Math.max(1, Number(match[1]), Number(match[2] ?? 0)));
  }
  return Math.max(size, product);
}

/** Whether a format is one that Sluice checks or understands; else the nearest name as a hint. */
export function formatHint(format: string): string | null {
  return suggestion(format, textFormats) ?? `known: ${textFormats.join(", ")}`;
}
