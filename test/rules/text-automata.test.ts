import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { acceptsText, formatAutomata } from "../../src/rules/text-automata.ts";
import { textFormats } from "../../src/rules/text-formats.ts";

const label63 = "a".repeat(63);
const long = (length: number): string => `${label63}.${label63}.${label63}.${"b".repeat(length - 192)}`;

const samples: Readonly<Record<string, readonly string[]>> = {
  uuid: [
    "123e4567-e89b-12d3-a456-426614174000",
    "123E4567-E89B-12D3-A456-42661417400F",
    "123e4567-e89b-12d3-a456-42661417400",
    "123e4567e89b-12d3-a456-4266141740000",
  ],
  ipv4: ["0.0.0.0", "255.255.255.255", "256.1.1.1", "01.1.1.1", "1.1.1", "1.1.1.1.1", "192.168.000.1", "1..1.1"],
  ipv6: [
    "::",
    "::1",
    "1::",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    ":::",
    "1:2:3:4:5:6:1.2.3.4",
    "::1.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1.2.3.4::",
    "::ffff:1.2.3.256",
    "12345::",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5::1.2.3.4",
    "1:2:3:4:5:6::1.2.3.4",
    "1:2:3:4:5:6::8",
    "1:2:3:4::6:7:8",
  ],
  hostname: [
    "a",
    "a.b",
    "a.b.",
    ".",
    "a..b",
    "-a",
    "a-",
    "a-b",
    label63,
    `${label63}a`,
    long(253),
    long(254),
    `${long(253)}.`,
    `${long(252)}.`,
    `${long(254)}.`,
    "é.de",
    "a_b",
  ],
  email: [
    "a@b",
    "a.b@c.d",
    ".a@b",
    "a.@b",
    "a..b@c",
    '"a b"@c',
    '"a\\"b"@c',
    '"a"b"@c',
    '"a\\"@c',
    '"@"@c',
    '""@c',
    "a@b.",
    "a@[1.2.3.4]",
    "a@[ipv6:::1]",
    "a@[IPv6:1::2::3]",
    "a@[x]",
    `${"a".repeat(64)}@b.c`,
    `${"a".repeat(65)}@b.c`,
    `a@${long(252)}`,
    `a@${long(253)}`,
    `"${"é".repeat(5)}"@b`,
    "@b",
    "a@",
    "a@b@c",
    '"\u0001"@c',
    '"a\\é"@b',
  ],
  uri: [
    "a:",
    "http://a",
    "http://a/b?c#d",
    "http://a:80/",
    "http://a:/",
    "http://a:b/",
    "http://[::1]",
    "http://[::1]:80/x",
    "http://[::1",
    "http://u@h:1",
    "http://u@v@h",
    "http://u:p@[::1]:1/x",
    "mailto:a@b.c",
    "a:/b",
    "a://",
    "a:///b",
    "a:#",
    "a:#b#c",
    "a:b#c",
    "a:%41",
    "a:%4",
    "a:%zz",
    "http://a%41",
    "1a:b",
    "a b:c",
    "a:[",
    "http://[a@[::1]",
    "http://a[b]/",
    "urn:x:y",
    "a:?//",
    "a:/?x",
    "a:/#x",
    "a:?//#//",
    "http://#a",
    "http://?a",
    "a:é",
    "http://a/[",
    "a://b@",
    "a:@",
    "a:/%2f//",
    "a:/:",
    "http://[::1]x",
    "http://a]b@[::1]/",
    "http://[]",
  ],
  byte: ["", "AAAA", "AAA=", "AA==", "A===", "====", "AAAAA", "AAAAAA==", "AA=A", "AA+/", "AA-_", "é===", "AAAé"],
};

function expectSame(format: string, text: string): void {
  const bytes = Buffer.from(`xx${text}y`);
  const automata = formatAutomata(format);
  if (automata === null) throw new Error(`${format} has no automata`);
  const judged = textFormats.get(format)!(Buffer.from(text).toString("utf8"));
  expect(acceptsText(automata, bytes, 2, bytes.length - 1), `${format}: ${text}`).toBe(judged);
}

describe("a format's automata accept what its hand-written check does", () => {
  test.for(Object.keys(samples))("%s", (format) => {
    for (const texts of Object.values(samples)) for (const text of texts) expectSame(format, text);
    const near = fc
      .tuple(
        fc.constantFrom(...samples[format]!),
        fc.nat(300),
        fc.constantFrom(...'a0F:.@/#%[]-_=+"\\ ?', "é", "::", "", "25", "http://"),
        fc.nat(2),
      )
      .map(([text, at, inserted, cut]) => text.slice(0, at % (text.length + 1)) + inserted + text.slice((at % (text.length + 1)) + cut));
    const made = fc
      .array(
        fc.constantFrom(
          "a",
          "0",
          "F",
          ":",
          "::",
          ".",
          "@",
          "/",
          "#",
          "%",
          "%41",
          "[",
          "]",
          "-",
          "=",
          "+",
          '"',
          "\\",
          " ",
          "?",
          "é",
          "25",
          "http://",
          "[::1]",
          "1.2.3.4",
          "[1.2.3.4]",
        ),
        { maxLength: 9 },
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(near, made), (text) => expectSame(format, text)),
      { numRuns: 4000 },
    );
  });

  test("formats that say nothing about the text have none", () => {
    expect([formatAutomata("password"), formatAutomata("binary"), formatAutomata("nope")]).toEqual([null, null, null]);
    expect([...textFormats.keys()].filter((format) => formatAutomata(format) === null)).toEqual(["binary", "password"]);
  });
});
