import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { compileDfa } from "../../src/regex/compile-dfa.ts";
import { matchDfa, type Dfa } from "../../src/regex/dfa.ts";

function dfaOf(pattern: string): Dfa {
  const dfa = compileDfa(pattern);
  if ("reason" in dfa) throw new Error(`${pattern}: ${dfa.reason}`);
  return dfa;
}

/** The automaton's answer and that of the engine which it stands in for. */
function both(
  pattern: string,
  dfa: Dfa,
  engine: RE2JS,
  bytes: Uint8Array,
): { readonly pattern: string; readonly text: string; readonly found: boolean }[] {
  const text = Buffer.from(bytes).toString("utf8");
  const padded = Buffer.concat([Buffer.from("x\u00e9"), bytes, Buffer.from("\nA1")]);
  return [
    { pattern, text, found: engine.test(text) },
    { pattern, text, found: matchDfa(dfa, padded, 3, bytes.length) },
  ];
}

function expectEqual(pattern: string, texts: readonly (string | Uint8Array)[]): void {
  const dfa = dfaOf(pattern);
  const engine = RE2JS.compile(pattern);
  for (const text of texts) {
    const [expected, actual] = both(pattern, dfa, engine, typeof text === "string" ? Buffer.from(text) : text);
    expect(actual).toEqual(expected);
  }
}

const texts: readonly string[] = [
  "",
  "a",
  "b",
  "ab",
  "ba",
  "abc",
  "aab",
  "aaab",
  "aaaab",
  "xabcx",
  "ABC",
  "aBc",
  "A",
  "AB",
  "ABCD",
  "0",
  "7",
  "12",
  "123",
  "1234",
  "2026-01-31",
  "a b",
  " a",
  "a ",
  "foo",
  "foo bar",
  "foobar",
  "barfoo",
  "foo-bar",
  "foo_bar",
  "f",
  "fo",
  "-",
  "_",
  "--",
  ".",
  "..",
  "a.b",
  "a\nb",
  "\n",
  "\n\n",
  "a\n",
  "\na",
  "\r\n",
  "\t",
  "\v",
  "\f",
  "\u00a0",
  "\u0000",
  "é",
  "É",
  "e\u0301",
  "ß",
  "ẞ",
  "k",
  "K",
  "\u212a",
  "s",
  "ſ",
  "S",
  "Å",
  "å",
  "\u212b",
  "σ",
  "ς",
  "Σ",
  "β",
  "ж",
  "Ж",
  "日本",
  "日",
  "א",
  "ا",
  "😀",
  "😀😀",
  "a😀b",
  "\ufffd",
  "\ufeff",
  "\ufeffa",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
  "\u{1d7d8}",
  "٣",
  "Ⅷ",
  "½",
  "€",
  "$5",
  "$",
  "^",
  "\\",
  "[",
  "]",
  "(",
  ")",
  "{2}",
  "a{2}",
  "aa",
  "a{,2}",
  "x@y.z",
  "user@example.com",
  "1.2.3.4",
  "00:1A:2b",
  "deadbeef",
  "DEADBEEF-",
  "N12345",
  "N1234A",
  "n12345",
  "EWR",
  "JFK",
  "LGA1",
  "http://a/b?c#d",
  "a/b",
  "\\d",
  "ǆ",
  "ǅ",
  "Ǆ",
  "İ",
  "ı",
  "i",
  "I",
  "ŉ",
  "ﬁ",
];

const patterns: readonly string[] = [
  "",
  "a",
  "abc",
  "^",
  "$",
  "^$",
  "$^",
  "^^a$$",
  "^a",
  "a$",
  "^a$",
  "a|b",
  "a||b",
  "|",
  "^(a|b)$",
  "(a|b)*",
  "^(a|b)*$",
  "(?:a|b)+c",
  "a*",
  "a+",
  "a?",
  "^a*$",
  "^a+$",
  "^a?$",
  "a*?",
  "^a+?$",
  "^a??$",
  "^(a*)*$",
  "^(a*)+$",
  "^(a|a?)+$",
  ".",
  "^.$",
  "^..$",
  "^.*$",
  "(?s)^.$",
  "(?s)^.*$",
  "(?s).{2}",
  "^.{2,3}$",
  "^.{0}$",
  "^a{2}$",
  "^a{2,}$",
  "^a{0,2}$",
  "a{,2}",
  "a{2",
  "{",
  "^(ab){1,2}$",
  "^(a{1,2}b?){2}$",
  "[a-c]",
  "^[a-c]+$",
  "[^a]",
  "^[^a]$",
  "^[^\\n]$",
  "[^\\x00-\\x7f]",
  "^[]a]$",
  "^[^]a]$",
  "[a\\-c]",
  "[-a]",
  "[a-]",
  "^[\\w.-]+$",
  "^[\\d\\s]+$",
  "[[:alpha:]]",
  "^[[:^alpha:]]+$",
  "^[[:word:][:space:]]*$",
  "[[:punct:]]",
  "\\d",
  "\\D",
  "^\\d+$",
  "\\w",
  "\\W",
  "^\\w+$",
  "\\s",
  "\\S",
  "^\\S+$",
  "\\t",
  "\\v",
  "\\x41",
  "\\x{1F600}",
  "^\\x{10000}$",
  "\\101",
  "\\0",
  "\\.",
  "\\\\",
  "\\Qa.b\\E",
  "\\Q[\\E",
  "\\A",
  "\\z",
  "\\Aa\\z",
  "\\b",
  "\\B",
  "^\\b",
  "\\b$",
  "\\bfoo\\b",
  "\\Bfoo",
  "foo\\B",
  "\\bé",
  "a\\b",
  "\\b\\b",
  "\\b\\B",
  "(\\b|x)foo",
  "^\\B$",
  "\\b.\\b",
  "foo\\b.bar",
  "(?:\\b\\w)+",
  "x*\\b-",
  "(?i)abc",
  "(?i)k",
  "(?i)s",
  "(?i)^ß$",
  "(?i)å",
  "(?i)σ",
  "(?i)[a-c]+$",
  "(?i)^[^k]$",
  "(?i)ж",
  "(?i)ǆ",
  "(?i)i",
  "(?i:a)B",
  "a(?i)b",
  "a(?i:b)c",
  "(?i)(?-i)k",
  "(?i)[[:lower:]]",
  "(?i)\\p{Lu}",
  "^(?i)\\P{Lu}$",
  "(?i)[\\x{212a}]",
  "(?i)ﬁ",
  "(?m)^a",
  "(?m)a$",
  "(?m)^a$",
  "(?m)^$",
  "(?m)$^",
  "(?m)^",
  "(?m)a$\\nb",
  "(?m)\\A^",
  "(?m)\\n$",
  "(?m)$",
  "(?ms)^.a$",
  "(?m)^\\b",
  "(?-m)a$",
  "(?m:^)a",
  "(?s-m)^.+$",
  "(?U)a+?",
  "(?sm)$.^",
  "\\p{L}",
  "^\\p{L}+$",
  "\\p{Lu}",
  "\\P{L}",
  "^\\p{^L}$",
  "\\pL",
  "\\p{Greek}",
  "^\\p{Cyrillic}+$",
  "\\p{Han}",
  "\\p{Nd}",
  "^\\p{N}+$",
  "\\p{Sc}",
  "[\\p{L}\\p{N}]",
  "^[^\\p{L}]+$",
  "\\p{Zs}",
  "\\p{Cn}",
  "\\p{Any}",
  "\\p{So}",
  "\\p{Arabic}",
  "\\p{Hebrew}",
  "\\p{Latin}{2}",
  "\\p{Lt}",
  "\\p{Mn}",
  "\\p{Co}",
  "\\p{Cs}",
  "^\\d{4}-\\d{2}-\\d{2}$",
  "^[A-Z]{3}$",
  "^N[0-9][0-9A-Z]{3,4}$",
  "^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$",
  "^(?:[0-9]{1,3}\\.){3}[0-9]{1,3}$",
  "^(?:[0-9A-Fa-f]{2}:)*[0-9A-Fa-f]{2}$",
  "^\\$?[0-9]+(?:\\.[0-9]{2})?$",
  "^(EWR|JFK|LGA)$",
  "(foo|bar)+$",
  "(?P<x>a)b",
  "(?<y>a)",
  "foo|^bar|baz$",
  "(^a|b$)",
  "(a|$)b?",
  "(^|x)a",
  "a(b|$)",
  "^(?:a?){10}a{10}$",
  "(x+x+)+y",
  "(a+)+$",
  "a.*b.*c",
  "^(?:.*a){3}$",
  "[\\x{fffd}]",
  "^\\x{feff}",
  "[^\\x{0}-\\x{ffff}]",
  "^[\\x{800}-\\x{ffff}]$",
  "^[\\x{80}-\\x{7ff}]+$",
  "[\\x{d7ff}-\\x{e000}]",
];

/** Every way to break off, overlong forms, surrogates, bytes that begin nothing, between good characters. */
const broken: readonly (readonly number[])[] = [
  [0x80],
  [0xbf],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc2],
  [0xc2, 0x41],
  [0xc3, 0xa9, 0xc3],
  [0xe0, 0x80, 0x80],
  [0xe0, 0xa0],
  [0xe0, 0xa0, 0x41],
  [0xe2, 0x82],
  [0xe2, 0x82, 0xe2, 0x82, 0xac],
  [0xed, 0xa0, 0x80],
  [0xed, 0x9f, 0xbf],
  [0xed, 0xbf, 0xbf],
  [0xef, 0xbf, 0xbe],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x90, 0x80],
  [0xf0, 0x9f, 0x98],
  [0xf0, 0x9f, 0x98, 0x41],
  [0xf0, 0x9f, 0x98, 0xf0, 0x9f, 0x98, 0x80],
  [0xf4, 0x8f, 0xbf, 0xbf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xff],
  [0xfe, 0xff],
  [0x61, 0xff],
  [0xff, 0x61],
  [0xff, 0xff],
  [0x0a, 0xe2, 0x0a],
  [0xf1, 0x80, 0x80, 0xc2, 0xa2],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
];

describe("the automaton finds what the engine finds", () => {
  test.for(patterns)("%s", (pattern) => {
    expectEqual(pattern, [...texts, ...broken.map((bytes) => Uint8Array.from(bytes))]);
  });

  test("patterns of any shape over texts of any bytes", () => {
    const atom = fc.constantFrom(
      ..."abAB01 _-.é😀k".split("").filter((c) => !/[\ud800-\udfff]/.test(c)),
      "\\x{1F600}",
      "\\.",
      ".",
      "[ab]",
      "[^a]",
      "[a-k]",
      "[^\\x{80}-\\x{10ffff}]",
      "\\d",
      "\\W",
      "\\w",
      "\\s",
      "\\p{L}",
      "\\P{Lu}",
      "\\pN",
      "[\\p{Greek}é]",
      "^",
      "$",
      "\\b",
      "\\B",
      "\\A",
      "\\z",
      "(?i:k)",
      "(?i:[x-zé])",
      "(?s:.)",
      "(?m:^)",
      "(?m:$)",
      "\\n",
    );
    const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
      part: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        atom,
        fc.tuple(tie("part"), tie("part")).map((each) => each.join("")),
        fc.tuple(tie("part"), tie("part")).map(([a, b]) => `(?:${a}|${b})`),
        fc
          .tuple(tie("part"), fc.constantFrom("*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "{1,3}?"))
          .map(([a, many]) => `(?:${a})${many}`),
        tie("part").map((a) => `(${a})`),
      ),
      pattern: fc
        .tuple(
          fc.constantFrom("", "", "", "(?i)", "(?s)", "(?m)", "(?ims)"),
          fc.constantFrom("", "^"),
          tie("part"),
          tie("part"),
          fc.constantFrom("", "$"),
        )
        .map((each) => each.join("")),
    }));
    const piece = fc.oneof(
      fc.constantFrom(...Array.from("abAB01 _-.\nkKsxyz"), "é", "É", "😀", "\u212a", "ſ", "λ", "日").map((c) => Buffer.from(c)),
      fc.uint8Array({ maxLength: 3 }),
    );
    const text = fc.array(piece, { maxLength: 8 }).map((parts) => Buffer.concat(parts));
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 20, maxLength: 20 }), (source, given) => {
        const dfa = compileDfa(source);
        if ("reason" in dfa) return;
        const engine = RE2JS.compile(source);
        for (const bytes of given) {
          const [expected, actual] = both(source, dfa, engine, bytes);
          expect(actual).toEqual(expected);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test("every pair of bytes, and every code point, by a class of each kind", () => {
    for (const pattern of ["^.$", "^..$", "^\\x{fffd}$", "\\p{L}$", "^[^é]\\b"]) {
      const dfa = dfaOf(pattern);
      const engine = RE2JS.compile(pattern);
      for (let a = 0x78; a < 256; a++)
        for (let b = 0x70; b < 256; b += 3) {
          const [expected, actual] = both(pattern, dfa, engine, Uint8Array.of(a, b));
          expect(actual?.found, `${pattern} on ${a} ${b}`).toBe(expected?.found);
        }
    }
    const letters = dfaOf("^\\p{Ll}$");
    const engine = RE2JS.compile("^\\p{Ll}$");
    for (let rune = 0; rune < 0x11000; rune++) {
      if (rune >= 0xd800 && rune < 0xe000) continue;
      const bytes = Buffer.from(String.fromCodePoint(rune));
      if (matchDfa(letters, bytes, 0, bytes.length) !== engine.test(bytes.toString())) throw new Error(`U+${rune.toString(16)}`);
    }
  });
});

describe("limits", () => {
  test("time is linear where backtracking hangs", () => {
    for (const pattern of ["^(a+)+$", "(x+x+)+y", "^(a|aa)+$", "(.*a){3}$"]) {
      const dfa = dfaOf(pattern);
      const bytes = Buffer.from(`${"a".repeat(1_000_000)}!`);
      const started = process.cpuUsage();
      expect(matchDfa(dfa, bytes, 0, bytes.length)).toBe(false);
      expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
    }
  });

  test("patterns whose automaton explodes say so, soon", () => {
    const started = process.cpuUsage();
    for (const pattern of ["(a|b)*a(a|b){20}", "^(\\p{L}|\\p{N}){1,200}$", "x.{0,500}y.{0,500}z", "(?:a.{3}b|c.{5}d|e.{7}f|g.{9}h)$"])
      expect(compileDfa(pattern)).toEqual({ reason: "it needs more than 4096 states" });
    expect(process.cpuUsage(started).user).toBeLessThan(10_000_000);
    expect(compileDfa("^a{1,200}$", { statesMax: 100, tableBytesMax: 1 << 20 })).toEqual({ reason: "it needs more than 100 states" });
    expect(compileDfa("^a{1,200}$", { statesMax: 1000, tableBytesMax: 1000 })).toEqual({ reason: "its table takes too much memory" });
  });

  test("what is no pattern throws", () => {
    for (const pattern of ["(", "a**", "(?=a)", "\\1", "[b-a]", "\\p{Nope}", "a{1001}"])
      expect(() => compileDfa(pattern)).toThrow(/regexp/);
  });

  test("automata are minimal", () => {
    expect(dfaOf("^(a|b|ab|ba)*$").stateCount).toBe(dfaOf("^[ab]*$").stateCount);
    expect(dfaOf("a|b|").stateCount).toBe(2);
    // Dead, found, and one for each count of letters so far.
    expect(dfaOf("^[A-Z]{3}$").stateCount).toBe(6);
  });
});
