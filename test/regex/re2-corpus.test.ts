import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compileDfa } from "../../src/regex/compile-dfa.ts";
import { matchDfa } from "../../src/regex/dfa.ts";

/** RE2's own search tests, as Go's distribution carries them; null where there is no Go. */
function findCorpus(): string | null {
  const { status, stdout } = spawnSync("go", ["env", "GOROOT"], { encoding: "utf8" });
  const file = status === 0 ? join(stdout.trim(), "src/regexp/testdata/re2-search.txt") : "";
  return file !== "" && existsSync(file) ? readFileSync(file, "utf8") : null;
}

/** A quoted text of the corpus. */
function unquote(line: string): string {
  const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v", a: "\x07", "\\": "\\", '"': '"' };
  return line
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, c: string) =>
      hex === undefined ? (escapes[c] ?? c) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}

const corpus = findCorpus();

test.skipIf(corpus === null)("RE2's own tests of searching (skipped: there is no Go distribution beside the project)", () => {
  let texts: string[] = [];
  let section = "";
  let pattern = "";
  let at = 0;
  let judged = 0;
  for (const line of (corpus ?? "").split("\n")) {
    if (line === "strings" || line === "regexps") {
      section = line;
      if (section === "strings") texts = [];
    } else if (line.startsWith('"')) {
      if (section === "strings") texts.push(unquote(line));
      else [pattern, at] = [unquote(line), 0];
    } else if (/^[-0-9]/.test(line)) {
      const bytes = Buffer.from(texts[at++] as string);
      // A byte by itself is not in the syntax.
      if (pattern.includes("\\C")) continue;
      const dfa = compileDfa(pattern);
      if ("reason" in dfa) throw new Error(dfa.reason);
      // The second answer is that of a search.
      expect(matchDfa(dfa, bytes, 0, bytes.length), `${pattern} on ${JSON.stringify(texts[at - 1])}`).toBe(line.split(";")[1] !== "-");
      judged++;
    }
  }
  expect(judged).toBeGreaterThan(1500);
});
