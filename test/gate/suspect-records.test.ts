import { describe, expect, it } from "vitest";
import { openInlineEngine } from "../../src/cli/engine.ts";
import type { BytesColumn } from "../../src/core/column.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { DriftOutcome, DriftQuestion, NumberSuspect } from "../../src/core/drift.ts";
import type { RecordSample } from "../../src/core/record-sample.ts";
import { tellSamples } from "../../src/core/record-sample.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../src/drift/index.ts";
import { openDecoder } from "../../src/gate/chunk-engine.ts";
import { judgeWindow } from "../../src/gate/judge.ts";
import { findSuspects } from "../../src/gate/suspect-records.ts";
import { OpenWindow } from "../../src/gate/window.ts";
import { decodeProfile } from "../../src/sketches/index.ts";
import { TextPatterns } from "../../src/sketches/watched/text-patterns.ts";
import { check, planOf } from "../drift/windows.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";

const everyType = makeContract({
  text: { type: "string" },
  flag: { type: "boolean" },
  whole: { type: "long" },
  real: { type: "double" },
  price: { type: { kind: "decimal", precision: 12, scale: 2 } },
  sum: { type: { kind: "decimal", precision: 30, scale: 4 } },
  day: { type: "date" },
  at: { type: "timestamp" },
});
const day = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString();

/** Row i: of every column the value n = i % 7, or null where n is 6. */
function everyRow(i: number): Record<string, unknown> {
  const n = i % 7;
  if (n === 6) return { text: null, flag: null, whole: null };
  return {
    text: n === 0 ? "" : `é${"long ".repeat(n * 9)}`,
    flag: n % 2 === 0,
    whole: n - 3,
    real: n / 3 - 1,
    price: n - 2.25,
    sum: `${n + 1}00000000000000000000.5`,
    day: day(n).slice(0, 10),
    at: day(n),
  };
}

function asked(contract: Contract, texts: readonly string[], questions: readonly DriftQuestion[]): readonly (readonly bigint[])[] {
  const records = makeRecords(texts);
  const rows = Uint32Array.from({ length: records.count }, (_, row) => row);
  const found = findSuspects(contract, openDecoder(contract), [{ records, rows, schemas: new Map() }], questions);
  return found.map((samples) => samples.map(({ offset }) => BigInt(offset)));
}

describe("cells that a profile told of", async () => {
  // What JavaScript writes otherwise: a number of many digits, and -0.
  const texts = Array.from({ length: 700 }, (_, i) =>
    JSON.stringify(everyRow(i))
      .replace(/"sum":"([^"]+)"/, '"sum":$1')
      .replace('"real":0,', '"real":-0,'),
  );
  const window = openInlineEngine().open({ contract: everyType, schema: null, kind: "compiled" });
  await window.add([makeRecords(texts)]);
  const { columns } = decodeProfile((await window.settle(1_800_000_000_000)).profile.bytes);

  it.each(everyType.fields.map(({ path }) => path))(
    "%s: each value is found by its entry in the profile, in the newest records",
    (path) => {
      const entries = columns.get(path)!.top!.entries;
      expect(entries.length).toBe(path === "flag" ? 2 : 6);
      const answers = asked(
        everyType,
        texts,
        entries.map((entry) => ({ path, where: null, suspect: { kind: "values", values: [entry] } })),
      );
      for (const offsets of answers) {
        expect(offsets).toHaveLength(3);
        const values = new Set(offsets.map((offset) => JSON.stringify(everyRow(Number(offset))[path])));
        expect(values.size).toBe(1);
        expect(offsets.every((offset) => offset >= 670n)).toBe(true);
      }
      const all = new Set(answers.map(([first]) => JSON.stringify(everyRow(Number(first))[path])));
      expect(all.size).toBe(entries.length);
    },
  );

  it.each(["whole", "real", "price", "sum", "day", "at"])("%s: ranges are of the numbers that the profile's are", (path) => {
    const { min, max } = columns.get(path)!.moments!;
    const ends = [
      { kind: "within", least: min, above: null, most: min },
      { kind: "within", least: max, above: null, most: max },
      { kind: "within", least: min, above: min, most: max },
      { kind: "outside", least: min, most: max },
      { kind: "outside", least: max, most: max },
    ] as const;
    const answers = asked(
      everyType,
      texts,
      ends.map((suspect) => ({ path, where: null, suspect })),
    );
    const remainders = answers.map((offsets) => offsets.map((offset) => Number(offset % 7n)));
    // Row 693 has n = 0, and 699 is the last.
    expect(remainders[0]).toEqual([0, 0, 0]);
    expect(remainders[1]).toEqual([5, 5, 5]);
    expect(remainders[2]).toEqual([3, 4, 5]);
    expect(remainders[3]).toEqual([]);
    expect(remainders[4]).toEqual([2, 3, 4]);
  });

  it("lengths are counted and forms read as the profile does", () => {
    const lengths = columns.get("text")!.lengths!;
    const of = (length: NumberSuspect): DriftQuestion => ({ path: "text", where: null, suspect: { kind: "length", length } });
    const answers = asked(everyType, texts, [
      of({ kind: "within", least: lengths.max, above: null, most: lengths.max }),
      of({ kind: "outside", least: 1, most: lengths.max }),
      of({ kind: "outside", least: 0, most: lengths.max - 1 }),
    ]);
    expect(answers.map((offsets) => offsets.map((offset) => Number(offset % 7n)))).toEqual([
      [5, 5, 5],
      [0, 0, 0],
      [5, 5, 5],
    ]);
    const patterns = new TextPatterns();
    const records = makeRecords(texts);
    for (let at = 0; at < records.count;) {
      const batch = openDecoder(everyType)(records, at, new Map());
      patterns.add(
        batch.columns[0] as BytesColumn,
        Uint32Array.from({ length: batch.rows }, (_, row) => row),
      );
      at += batch.rows;
    }
    const entries = patterns.finish().entries.toSorted((a, b) => b.count - a.count);
    // Above 64 characters all are cut to one form.
    expect(entries.map(({ count }) => count)).toEqual([400, 100, 100]);
    const found = asked(
      everyType,
      texts,
      entries.map((entry) => ({ path: "text", where: null, suspect: { kind: "patterns", patterns: [entry] } })),
    );
    const rests = found.map((offsets) => new Set(offsets.map((offset) => Number(offset % 7n))));
    expect([...(rests[0] ?? [])].every((rest) => rest > 1 && rest < 6)).toBe(true);
    expect(rests.slice(1)).toEqual(expect.arrayContaining([new Set([0]), new Set([1])]));
  });

  it("nulls and missing fields are told apart", () => {
    const [nulls, missing, missingPrices] = asked(everyType, texts, [
      { path: "text", where: null, suspect: { kind: "null" } },
      { path: "text", where: null, suspect: { kind: "missing" } },
      { path: "price", where: null, suspect: { kind: "missing" } },
    ]);
    expect(nulls).toEqual([685n, 692n, 699n]);
    expect(missing).toEqual([]);
    expect(missingPrices).toEqual([685n, 692n, 699n]);
  });

  it("only the newest 10,240 records are looked at", () => {
    const many = Array.from({ length: 10_300 }, (_, i) => (i === 59 || i === 60 ? '{"text":"odd"}' : '{"text":"usual"}'));
    const question = { path: "text", where: null, suspect: { kind: "null" as const } };
    const rare = many.map((text) => (text.includes("odd") ? '{"text":null}' : text));
    expect(asked(everyType, rare, [question])).toEqual([[60n]]);
  });
});

const flights: Contract = {
  ...makeContract({ carrier: { type: "string", required: true }, delay: { type: "double" }, who: { type: "string" } }),
  drift: planOf([
    check("carrier", ["psi", "new-values", "vanished-values"], "hold"),
    check("delay", ["null-share", "ks"], "warn"),
    {
      ...check("delay{carrier=AA}", ["null-share"], "warn"),
      segment: { of: "delay", where: { op: "eq", path: "carrier", value: { type: "string", value: "AA" } } },
    },
    check("who", ["psi"], "hold"),
  ]),
};
const contract: Contract = {
  ...flights,
  fields: flights.fields.map((field) => (field.path === "who" ? { ...field, classification: "confidential" } : field)),
};

/** A judged window of records of two runs. */
async function windowOf(
  texts: readonly string[],
  from: number,
  drift: Parameters<typeof judgeWindow>[2]["drift"],
  of: Contract = contract,
) {
  const window = new OpenWindow(of, 1_700_000_000_000, openInlineEngine().open({ contract: of, schema: null, kind: "compiled" }));
  const at = { topic: "test", topicId: "t", partition: 0 };
  window.advance({ ...at, next: BigInt(from) }, { ...at, next: BigInt(from + texts.length) });
  const half = Math.floor(texts.length / 2);
  await window.add([makeRecords(texts.slice(0, half), [], from), makeRecords(texts.slice(half), [], from + half)]);
  const closedAtMs = 1_700_000_000_000 + from;
  const closing = { closedAtMs, closedBy: "rows", worker: "w", producer: "0", holdNext: false, drift } as const;
  return judgeWindow(window, await window.settle(closedAtMs), closing);
}

it("what drifts names records that have it: of the window's passed rows, of a segment's own, none of classified columns", async () => {
  let state = emptyDriftState;
  const usual = Array.from({ length: 2000 }, (_, i) => JSON.stringify({ carrier: ["AA", "UA"][i % 2], delay: i % 50, who: `p${i % 3}` }));
  for (let n = 0; n < 6; n++) {
    const { decision, profile } = await windowOf(usual, n * 2000, (input) => judgeDrift(contract, state, input));
    expect(decision.drift.results.some(({ samples }) => samples !== undefined)).toBe(false);
    state = foldDrift(contract, state, { ...decision, profile: decodeProfile(profile!) });
  }
  const changed = usual.map((text, i) => {
    // Without a carrier they are rejected: no drift is about them.
    if (i > 1900) return '{"delay": null, "who": "q"}';
    if (i < 1000) return text;
    if (i % 10 === 1) return JSON.stringify({ carrier: "WN", delay: i % 50, who: "q" });
    return i % 10 === 2 ? JSON.stringify({ carrier: "AA", who: "q" }) : text.replace(/p\d/, "q");
  });
  const { decision } = await windowOf(changed, 20_000, (input) => judgeDrift(contract, state, input));
  const found = new Map(
    decision.drift.results.filter(({ status }) => status === "drift").map(({ column, test, samples }) => [`${column} ${test}`, samples]),
  );
  const rowsOf = (samples: readonly RecordSample[] | undefined): number[] => (samples ?? []).map(({ offset }) => Number(offset) - 20_000);
  for (const key of ["carrier new-values", "carrier psi"]) expect(rowsOf(found.get(key)), key).toEqual([1871, 1881, 1891]);
  for (const key of ["delay null-share", "delay{carrier=AA} null-share"]) expect(rowsOf(found.get(key)), key).toEqual([1872, 1882, 1892]);
  expect(found.has("who psi")).toBe(true);
  expect(found.get("who psi")).toBeUndefined();
  expect(decision.verdict).toBe("hold");
  const messages = decision.causes.map(({ message }) => message);
  expect(messages.find((message) => message.startsWith("carrier: new values"))).toMatch(
    / \(records such as test:0:21871, test:0:21881, test:0:21891\)$/,
  );
  const explained = decision.drift.results.flatMap(({ explanation }) => explanation ?? []);
  expect(explained.some((text) => text.includes("records such as"))).toBe(false);
});

it("what moves a mean, a length or the mix of forms is named by the records that moved it", async () => {
  const moved: Contract = {
    ...makeContract({ code: { type: "string" }, note: { type: "string" }, delay: { type: "double" }, fare: { type: "double" } }),
    drift: planOf([
      check("code", ["pattern-mix"], "warn"),
      check("note", ["length"], "warn"),
      check("delay", ["mean"], "warn"),
      check("fare", ["mean"], "warn"),
    ]),
  };
  const usual = (i: number): Record<string, unknown> => ({
    code: `AB-${100 + (i % 900)}`,
    note: "x".repeat(10 + (i % 5)),
    delay: i % 50,
    fare: 100 + (i % 7),
  });
  let state = emptyDriftState;
  const judge = (row: (i: number) => Record<string, unknown>, from: number) =>
    windowOf(
      Array.from({ length: 2000 }, (_, i) => JSON.stringify(row(i))),
      from,
      (input) => judgeDrift(moved, state, input),
      moved,
    );
  for (let n = 0; n < 6; n++) {
    const { decision, profile } = await judge(usual, n * 2000);
    state = foldDrift(moved, state, { ...decision, profile: decodeProfile(profile!) });
  }
  const { decision } = await judge((i) => {
    if (i % 4 !== 3) return usual(i);
    // Fares fall, but none below what there was.
    return { code: `ab${100 + (i % 900)}`, note: "x".repeat(40), delay: 900, fare: 100 };
  }, 20_000);
  const found = decision.drift.results.filter(({ status }) => status === "drift");
  expect(found.map(({ column, test }) => `${column} ${test}`)).toEqual(["code pattern-mix", "note length", "delay mean", "fare mean"]);
  for (const { column, samples } of found.slice(0, 3)) {
    expect(
      (samples ?? []).map(({ offset }) => Number(offset) - 20_000),
      column,
    ).toEqual([1991, 1995, 1999]);
  }
  const fares = (found[3]?.samples ?? []).map(({ offset }) => Number(offset) - 20_000);
  expect(fares).toHaveLength(3);
  for (const i of fares) expect(i % 4 === 3 || i % 7 < 3, String(i)).toBe(true);
});

it("what nobody is told of is not looked for", () => {
  const quiet: Contract = { ...contract, drift: planOf([check("carrier", ["new-values"], "observe")]) };
  const asks: (readonly DriftQuestion[])[] = [];
  const outcome: DriftOutcome = judgeDrift(quiet, emptyDriftState, {
    windowId: "w",
    closedAtMs: 1,
    profile: { rows: 0, columns: new Map() },
    find: (questions) => {
      asks.push(questions);
      return [];
    },
  });
  expect(outcome.status).toBe("learning");
  expect(asks).toEqual([]);
});

it("records are told as people type them", () => {
  const sample = { topic: "flights", topicId: "t", partition: 3, offset: "48211" };
  expect(tellSamples("odd", [sample])).toBe("odd (record flights:3:48211)");
  expect(tellSamples("odd", [sample, { ...sample, offset: "7" }])).toBe("odd (records such as flights:3:48211, flights:3:7)");
  expect(tellSamples("odd", undefined)).toBe("odd");
});
