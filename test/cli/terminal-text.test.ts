import { describe, expect, it } from "vitest";
import { createCrashProbe } from "../../src/cli/crash-probe.ts";
import { renderLine, renderTally } from "../../src/cli/demo/live-view.ts";
import { Tally } from "../../src/cli/demo/tally.ts";
import { createProgress, renderBar } from "../../src/cli/progress.ts";
import { formatCount, formatShare, printable, renderTable } from "../../src/cli/table.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { SluiceError } from "../../src/core/errors.ts";

function terminal(watched: boolean): Terminal & { readonly drawn: string[] } {
  const drawn: string[] = [];
  const plain = (_style: unknown, text: string): string => text;
  const keep = (text: string): void => void drawn.push(text);
  return {
    drawn,
    out: keep,
    err: keep,
    json: () => {},
    jsonLine: () => {},
    style: plain,
    styleErr: plain,
    isWatched: watched,
    isOutWatched: watched,
    columns: () => 80,
    draw: keep,
  };
}

describe("numbers and tables", () => {
  it("group digits", () => {
    expect([0, 999, 1000, 1234567, 12345678901234567890n].map(formatCount)).toEqual([
      "0",
      "999",
      "1,000",
      "1,234,567",
      "12,345,678,901,234,567,890",
    ]);
  });

  it("never round a share to nothing", () => {
    expect([formatShare(0, 10), formatShare(1, 100_000), formatShare(1, 300), formatShare(1, 2), formatShare(1, 0)]).toEqual([
      "0%",
      "<0.01%",
      "0.33%",
      "50.0%",
      "0%",
    ]);
  });

  it("stand numbers to the right and ignore colours", () => {
    expect(
      renderTable(
        ["rule", "n"],
        [
          ["a", "1"],
          ["\u001b[31mlonger\u001b[39m", "1,000"],
        ],
      ),
    ).toEqual(["rule        n", "a           1", "\u001b[31mlonger\u001b[39m  1,000"]);
  });

  it("show what would move the cursor or turn the text around", () => {
    expect(printable("a\u001b[2J\n\u202eb\u0000")).toBe("a\\u001b[2J\\n\\u202eb\\u0000");
    expect(printable("Zürich 東京 🛫")).toBe("Zürich 東京 🛫");
  });
});

describe("progress", () => {
  it("has share, rate and time left where the total is known", () => {
    const text = renderBar({ label: "checking", unit: "records", done: 500, total: 1000, rate: 100 }, 100);
    expect(text).toMatch(/^checking  █+░+ 50%  500 of 1,000 records  100 records\/s  5s left$/);
  });

  it.each([20, 40, 60, 80])("fits %d columns", (columns) => {
    const at = { label: "checking", unit: "records", done: 123_456_789, total: 987_654_321, rate: 12_345 };
    expect(renderBar(at, columns).length).toBeLessThan(columns);
    expect(renderBar({ ...at, total: null }, columns).length).toBeLessThan(columns);
  });

  it("is drawn for people only, and not for each record", () => {
    let now = 0;
    const watched = terminal(true);
    const bar = createProgress(watched, "checking", "records", () => now);
    for (let i = 0; i < 1000; i++) {
      now += 1;
      bar.update(i, 1000);
    }
    bar.end();
    expect(watched.drawn.length).toBeGreaterThan(5);
    expect(watched.drawn.length).toBeLessThan(20);
    expect(watched.drawn.at(-1)).toBe("\r\u001b[2K");
    const unwatched = terminal(false);
    createProgress(unwatched, "checking", "records").update(1, 2);
    expect(unwatched.drawn).toEqual([]);
  });
});

describe("the live view", () => {
  const tally = new Tally(1000, ["carrier_known"]);
  tally.produced = 900;
  tally.records = 500;
  tally.promoted = 495;
  tally.quarantined = 5;
  tally.byRule.set("carrier_known", 3).set("json.truncated", 2);
  tally.note("drift (hold): carrier\u001b[2J");

  it("shows rate, outcomes, rules and notes", () => {
    const text = renderTally(tally, 250, terminal(true)).join("\n");
    expect(text).toMatch(/produced +900 {2}of 1,000/);
    expect(text).toMatch(/judged +500 {2}250 records\/s/);
    expect(text).toMatch(/promoted +495 {2}99\.0%/);
    expect(text).toMatch(/ 3 {2}carrier_known\n +2 {2}json\.truncated/);
    expect(text).toContain("! drift (hold): carrier\\u001b[2J");
  });

  it("is one line where nobody watches", () => {
    expect(renderLine(tally, 250)).toBe(
      "produced 900  judged 500 (250/s)  promoted 495  quarantined 5  held 0  snapshots 0  drift: learning what is normal",
    );
  });

  it("keeps the newest notes, each once", () => {
    for (let i = 0; i < 10; i++) tally.note(`note ${i}`);
    tally.note("note 9");
    expect(tally.notes).toEqual(["note 4", "note 5", "note 6", "note 7", "note 8", "note 9"]);
  });
});

it("forgets a trouble that is over", () => {
  const tally = new Tally(1, []);
  tally.note("stays");
  tally.observe({ type: "source.trouble", error: new SluiceError("SOURCE_UNREACHABLE", "no broker") });
  expect(tally.notes).toEqual(["stays", "source: no broker"]);
  tally.observe({ type: "source.trouble", error: null });
  expect(tally.notes).toEqual(["stays"]);
});

describe("the crash probe", () => {
  it("kills at the nth pass of its step, once", () => {
    let kills = 0;
    const probe = createCrashProbe("catalog.after-commit:3", () => kills++);
    for (let i = 0; i < 5; i++) {
      probe("catalog.before-commit");
      probe("catalog.after-commit");
      expect(kills).toBe(i < 2 ? 0 : 1);
    }
  });

  it("does nothing where it is not asked for, and refuses steps that are none", () => {
    createCrashProbe(undefined, () => expect.unreachable())("catalog.after-commit");
    expect(() => createCrashProbe("catalog.after")).toThrow(/one of decision\.written/);
    expect(() => createCrashProbe("catalog.after-commit:0")).toThrow(/STEP:N/);
  });
});
