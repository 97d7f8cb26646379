import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { flightTexts } from "../../../bench/flights.ts";
import { chunked } from "../../../src/codecs/chunked.ts";
import { compileJsonDecoder } from "../../../src/codecs/json-compiled/compile-json-decoder.ts";
import { jsonCodec } from "../../../src/codecs/json.ts";
import { loadContract } from "../../../src/contract/load-contract.ts";
import { allocateRecords, type Records } from "../../../src/core/records.ts";
import { Arena } from "../../../src/wasm/arena.ts";
import { layoutBatch } from "../../../src/wasm/layout.ts";
import { cellValue } from "../../fixtures/column-value.ts";
import { makeContract, makeRecords, type FieldSketch } from "../../fixtures/contract.ts";
import { compareBatches } from "./compare-batches.ts";
import { Pair, smallLimits } from "./equality.ts";
import { nested, scalars } from "./fuzzed-contracts.ts";
import { oddMoments, oddNumbers, oddTexts, oddUuids, otherValues, RecordFuzzer, styles } from "./record-fuzzer.ts";
import { SeededRandom } from "./seeded-random.ts";

const rowsOfFlights = Number(process.env["SLUICE_ENGINE_ROWS"] ?? 20_000);

describe("the same as the interpreter", () => {
  test("on every awkward value in a column of every kind, alone, in a list and in a map", () => {
    const odd = [...oddNumbers, ...oddTexts, ...oddUuids, ...oddMoments.map((text) => `"${text}"`), ...otherValues];
    for (const [name, sketch] of Object.entries(scalars)) {
      const contract = makeContract({
        before: { type: "int" },
        x: sketch,
        list: { type: "list", of: sketch },
        map: { type: "map", of: sketch },
      });
      const pair = new Pair(contract);
      const values = odd.flatMap((text) => [
        `{"before":1,"x":${text},"list":[],"map":{}}`,
        `{"before":1,"list":[${text},${text}],"map":{"a":${text}},"x":null}`,
        `{ "x" : ${text} }`,
      ]);
      // Often enough for the layout to be learned.
      expect(pair.differs(makeRecords([...values, ...values, ...values])), name).toBeNull();
      expect(pair.compiled.tally.straight, name).toBeGreaterThan(100);
      expect(pair.compiled.tally.general, name).toBeGreaterThan(100);
      expect(pair.compiled.tally.reference, name).toBeGreaterThan(10);
    }
  });

  test("on many dates and times of formats of their own, which are remembered by their text", () => {
    const pair = new Pair(
      makeContract({
        d: { type: "date", format: "dd.MM.yyyy" },
        t: { type: "timestamp", format: "yyyyMMddHHmmss" },
        long: { type: "date", format: "'on the day of the Lord called 'yyyy-MM-dd" },
        l: { type: "list", of: { type: "date", format: "dd.MM.yyyy" } },
      }),
    );
    const random = new SeededRandom(4);
    const two = (count: number): string => String(random.below(count)).padStart(2, "0");
    const date = (): string => `${two(32)}.${two(14)}.${1900 + random.below(200)}`;
    const values = Array.from(
      { length: 15_000 },
      () =>
        `{"d":"${date()}","t":"${1900 + random.below(200)}${two(13)}${two(31)}${two(24)}${two(60)}${two(61)}",` +
        `"long":"on the day of the Lord called ${1950 + random.below(60)}-${two(13)}-${two(29)}","l":["${date()}",null,"01.01.1970"]}`,
    );
    expect(pair.differs(makeRecords(values))).toBeNull();
    expect(pair.compiled.tally.straight).toBe(values.length);
  });

  test("on every kind of UTF-8 sequence, well-formed or not", () => {
    const pair = new Pair(makeContract({ s: { type: "string" }, j: { type: "json" } }));
    const values: Uint8Array[] = [];
    const edges = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0];
    for (let first = 0x80; first <= 0xff; first++)
      for (const second of edges)
        for (const third of [0x80, 0xbf, 0xc0])
          for (const rest of [[], [0x61], [0x80], [0xbf, 0xd0, 0x96]]) {
            const field = second % 3 === 0 ? '{"j":"' : '{"s":"';
            values.push(Buffer.concat([Buffer.from(field), Buffer.of(first, second, third, ...rest), Buffer.from('"}')]));
          }
    expect(pair.differs(makeRecords(values))).toBeNull();
    const every = Array.from({ length: 0x110000 >> 5 }, (_, i) =>
      i << 5 >= 0xd800 && i << 5 < 0xe000 ? "" : String.fromCodePoint((i << 5) | 17),
    );
    const texts = Array.from({ length: 700 }, (_, i) =>
      JSON.stringify({ s: every.slice(i * 50, i * 50 + 50).join(i % 2 === 0 ? "" : "a") }),
    );
    expect(pair.differs(makeRecords(texts))).toBeNull();
  });

  test("on real flights, nearly all by straight-line code", { timeout: 60_000 + rowsOfFlights * 0.5 }, async () => {
    const file = fileURLToPath(new URL("../../../schemas/examples/flights.odcs.yaml", import.meta.url));
    const { contract } = await loadContract(file, (path) => Promise.resolve(readFileSync(path)));
    const pair = new Pair(contract);
    for await (const texts of flightTexts(rowsOfFlights)) expect(pair.differs(makeRecords(texts))).toBeNull();
    expect(pair.compiled.tally.straight).toBeGreaterThan(rowsOfFlights * 0.9);
    expect(pair.compiled.tally.reference).toBe(0);
  });

  test("on contracts without fields, nested beyond every limit, and with keys of any length", () => {
    const deep = (levels: number, wrap: (inner: FieldSketch) => FieldSketch): FieldSketch => {
      let sketch: FieldSketch = { type: "int" };
      for (let i = 0; i < levels; i++) sketch = wrap(sketch);
      return sketch;
    };
    const long = "k".repeat(700);
    const longer = "k".repeat(2000);
    const cases: readonly (readonly [Readonly<Record<string, FieldSketch>>, (i: number) => string])[] = [
      [{}, (i) => (i % 2 === 0 ? "{}" : `{"a":${i}}`)],
      [{ "": { type: "int" }, x: { type: "struct", of: {} } }, (i) => `{"":${i},"x":${i % 3 === 0 ? "{}" : '{"q":1}'}}`],
      [
        { a: deep(120, (inner) => ({ type: "struct", of: { a: inner } })) },
        (i) => `${'{"a":'.repeat((i % 120) + 1)}${i % 2 === 0 ? "1" : "{}"}${"}".repeat((i % 120) + 1)}`,
      ],
      [{ a: deep(6, (inner) => ({ type: "list", of: inner })) }, (i) => `{"a":[[[[[[${i}]]],[]],[[[[1,2,3]]]]]]}`],
      [
        { ["constructor" as string]: { type: "string" }, [long]: { type: "int" } },
        (i) => `{"__proto__":1,"constructor":"a","${long}":${i}}`,
      ],
      [{ [longer]: { type: "int" } }, (i) => `{"${longer}":${i}}`],
    ];
    for (const [fields, make] of cases)
      expect(new Pair(makeContract(fields)).differs(makeRecords(Array.from({ length: 300 }, (_, i) => make(i))))).toBeNull();
  });

  test("on 500 columns, with and without most of them", () => {
    const fields = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`column_${i}`, Object.values(scalars)[i % 14]!]));
    const contract = makeContract(fields);
    const fuzzer = new RecordFuzzer(contract.fields, new SeededRandom(5), 0);
    const pair = new Pair(contract, { ...smallLimits, rowsMax: 64 });
    const whole = Array.from({ length: 200 }, () => fuzzer.record(styles[0]));
    const short = Array.from({ length: 200 }, (_, i) => `{"column_0":${i},"column_499":null}`);
    expect(pair.differs(makeRecords([...whole, ...short]))).toBeNull();
    expect(pair.compiled.tally.straight).toBeGreaterThan(100);
  });
});

describe("layouts are learned", () => {
  const contract = makeContract({
    a: { type: "int" },
    b: { type: "string" },
    c: { type: "double" },
    o: { type: "struct", of: { x: { type: "long" } } },
  });
  const compact = (i: number): string => `{"a":${i},"b":"text ${i}","c":${i}.5,"o":{"x":${i}}}`;
  const spaced = (i: number): string => `{"a": ${i}, "b": "text", "c": ${i}.25, "o": {"x": ${i}}}\n`;
  const turned = (i: number): string => `{"o":{"x":${i}},"c":-${i}e-3,"unknown":[${i}],"b":"","a":null}`;
  const many = (make: (i: number) => string, count = 1000): Records => makeRecords(Array.from({ length: count }, (_, i) => make(i)));

  test("whatever the spacing and the order, and again when the producer changes", () => {
    const pair = new Pair(contract);
    for (const make of [compact, spaced, turned]) {
      const before = pair.compiled.tally.straight;
      for (let i = 0; i < 12; i++) expect(pair.differs(many(make, 500))).toBeNull();
      expect(pair.compiled.tally.straight - before).toBeGreaterThan(4000);
    }
    // All three are known now.
    const before = pair.compiled.tally.straight;
    expect(pair.differs(many((i) => [compact, spaced, turned][i % 3]!(i), 600))).toBeNull();
    expect(pair.compiled.tally.straight - before).toBe(600);
  });

  test("fields that some records lack don't end the straight line", () => {
    const pair = new Pair(contract);
    const sparse = (i: number): string => `{"a":${i}${i % 2 === 0 ? `,"b":"x"` : ""}${i % 3 === 0 ? `,"c":1.5` : ""},"o":{"x":1}}`;
    expect(pair.differs(many(sparse, 2000))).toBeNull();
    expect(pair.compiled.tally.straight).toBe(2000);
  });

  test("records in no order at all are read all the same, and cost few attempts to learn", () => {
    const pair = new Pair(contract);
    const random = new SeededRandom(3);
    const records = many((i) => `{${random.shuffled([`"a":${i}`, `"b":"é\\n"`, `"c":1e-7`, `"o":{"x":2}`, `"z":0`]).join(",")}}`, 5000);
    expect(pair.differs(records)).toBeNull();
    expect(pair.compiled.tally.reference).toBe(0);
    expect(pair.compiled.tally.general).toBeGreaterThan(3000);
  });

  test("a key that comes twice is found in a learned layout too, an unknown one as well", () => {
    const pair = new Pair(contract);
    expect(pair.differs(many((i) => (i % 2 === 0 ? turned(i) : `{"o":{"x":1},"c":2,"unknown":1,"b":"","a":1}`), 500))).toBeNull();
    const doubled = [`{"o":{"x":1},"c":2,"unknown":1,"b":"","unknown":2,"a":1}`, `{"o":{"x":1},"c":2,"unknown":1,"b":"","a":1,"a":1}`];
    const batch = pair.compiled.decode(makeRecords(doubled), 0);
    expect(batch.faults.map(({ code }) => code)).toEqual(["json.duplicate-key", "json.duplicate-key"]);
  });

  test("unknown keys are told apart, however many and however alike", () => {
    const pair = new Pair(contract);
    const key = (i: number): string => `"the same ${String(i).padStart(6, "0")} to the end"`;
    const record = (keys: readonly string[]): string => `{"a":1,${keys.map((each) => `${each}:0`).join(",")},"b":"x"}`;
    const keys = Array.from({ length: 4000 }, (_, i) => (i % 2 === 0 ? key(i) : `"k${i}"`));
    const records = [1, 30, 63, 64, 65, 66, 400, 2900, 3100, 4000].flatMap((count) => {
      const some = keys.slice(0, count);
      return [record(some), record([...some, some[count >> 1]!]), record([...some, some[0]!])];
    });
    expect(pair.differs(makeRecords(records))).toBeNull();
  });

  test("of more layouts than are kept, those in use stay", () => {
    const pair = new Pair(contract);
    const turn =
      (by: number) =>
      (i: number): string => {
        const fields = [`"a":${i}`, `"b":"x"`, `"c":1.5`, `"o":{"x":2}`, `"u":0`, `"v":0`];
        return `{${[...fields.slice(by), ...fields.slice(0, by)].join(",")}}`;
      };
    for (let by = 0; by < 6; by++) for (let i = 0; i < 8; i++) expect(pair.differs(many(turn(by), 500))).toBeNull();
    for (let i = 0; i < 20; i++) expect(pair.differs(many(turn(0), 500))).toBeNull();
    const before = pair.compiled.tally.straight;
    expect(pair.differs(many(turn(0), 500))).toBeNull();
    expect(pair.compiled.tally.straight - before).toBe(500);
  });

  test("a record that breaks off does not go on in the next one", () => {
    const pair = new Pair(contract);
    const values = Array.from({ length: 300 }, (_, i) => compact(i));
    expect(pair.differs(makeRecords(values))).toBeNull();
    const cut = values.map((text, i) => (i % 2 === 0 ? text.slice(0, 1 + (i % (text.length - 1))) : text));
    expect(pair.differs(makeRecords(cut))).toBeNull();
  });
});

describe("chunks", () => {
  const contract = makeContract({ id: { type: "int" }, tags: { type: "list", of: { type: "string" } }, note: { type: "string" } });

  function decodeAll(records: Records, limits = smallLimits): { rows: number[]; resident: boolean[] } {
    const arena = new Arena();
    const layout = layoutBatch(contract.fields, arena, 0, limits);
    const decoder = compileJsonDecoder(contract, layout, arena);
    const rows: number[] = [];
    const resident: boolean[] = [];
    for (let from = 0; from < records.count;) {
      const batch = decoder.decode(records, from);
      expect(compareBatches(batch, jsonCodec.compile(contract)(batch.records))).toBeNull();
      expect(batch.records.bytes).toBe(records.bytes);
      expect(batch.records.offsets[0]).toBe(records.offsets[from]);
      rows.push(batch.rows);
      resident.push(batch.resident === layout);
      from += batch.rows;
    }
    return { rows, resident };
  }

  test("end by rows and by bytes", () => {
    const records = makeRecords(Array.from({ length: 1100 }, (_, i) => `{"id":${i},"tags":["a"]}`));
    expect(decodeAll(records).rows).toEqual([512, 512, 76]);
    const long = makeRecords(Array.from({ length: 10 }, (_, i) => `{"id":${i},"note":"${"x".repeat(50_000)}"}`));
    expect(decodeAll(long, { ...smallLimits, slabBytesMax: 120_000, areaBytesMax: 120_000 }).rows).toEqual([2, 2, 2, 2, 2]);
  });

  test("a record that has no room at all comes alone, with columns of its own", () => {
    const big = `{"id":1,"note":"${"é\\n".repeat(40_000)}"}`;
    const records = makeRecords(['{"id":0}', big, '{"id":2}']);
    const limits = { ...smallLimits, slabBytesMax: 65_536, areaBytesMax: 65_536 };
    expect(decodeAll(records, limits)).toEqual({ rows: [1, 1, 1], resident: [true, false, true] });
  });

  test("end before a record whose list elements no longer fit; one that never fits comes alone", () => {
    const limits = { ...smallLimits, rowsMax: 16, elementsPerRow: 1, elementsMax: 16 };
    const list = (count: number): string => `{"tags":[${Array.from({ length: count }, (_, i) => `"${i}\\t"`).join(",")}]}`;
    expect(decodeAll(makeRecords([list(10), list(6), list(1), list(0), list(16), list(17), list(3)]), limits)).toEqual({
      rows: [2, 2, 1, 1, 1],
      resident: [true, true, true, false, true],
    });
    // By the interpreter too: a key with an escape is its to read.
    const escaped = list(10).replace("tags", "\\u0074ags");
    expect(decodeAll(makeRecords([escaped, escaped, list(17).replace("tags", "\\u0074ags")]), limits).rows).toEqual([1, 1, 1]);
  });

  test("invalid cells point into the records' slab, whatever lies between the values and however they are ordered", () => {
    const scattered = makeContract({ id: { type: "int" }, at: { type: "timestamp" }, l: { type: "list", of: { type: "int" } } });
    const random = new SeededRandom(9);
    for (const [gap, backwards] of [
      [0, false],
      [40, false],
      [5000, false],
      [40, true],
      [5000, true],
    ] as const) {
      const values = Array.from({ length: 200 }, (_, i) =>
        Buffer.from(
          random.of([`{"id":${i},"at":"2013-01-01T00:00:00Z"}`, `{"id":"x","at":"y","l":[1,null,"z"]}`, "", `{"id":1.5,"l":[2.5]}`, "{"]),
        ),
      );
      const bytes = new Uint8Array(values.reduce((sum, value) => sum + value.length + gap, 0)).fill(0x22);
      const records = allocateRecords(values.length, bytes, [{ topic: "t", topicId: "t", partition: 0 }]);
      let at = 0;
      for (let i = 0; i < values.length; i++) {
        const row = backwards ? values.length - 1 - i : i;
        bytes.set(values[row]!, at);
        records.valueStart[row] = at;
        records.valueLength[row] = i % 37 === 5 ? -1 : values[row]!.length;
        records.keyLength[row] = -1;
        at += values[row]!.length + gap;
      }
      expect(new Pair(scattered).differs(records)).toBeNull();
    }
  });

  test("tombstones and oversized values by their policies", () => {
    const values = [null, '{"id":1}', `{"id":2,"note":"${"x".repeat(100)}"}`, null, '{"id":3}'];
    for (const tombstone of ["skip", "quarantine"] as const) {
      const policies = { tombstone, oversized: { bytes: 50, action: "quarantine" } } as const;
      const pair = new Pair(makeContract({ id: { type: "int" }, note: { type: "string" } }, { policies }));
      expect(pair.differs(makeRecords(values))).toBeNull();
      const batch = pair.compiled.decode(makeRecords(values), 0);
      expect(batch.skipped.length).toBe(tombstone === "skip" ? 2 : 0);
      expect(batch.faults.length).toBe(tombstone === "skip" ? 1 : 3);
    }
  });

  test("a column from the records' keys", () => {
    const fields = { id: { type: "int" }, key: { type: "string" }, note: { type: "string" } } as const;
    const pair = new Pair(makeContract(fields, { policies: { key: { action: "column", name: "key" } } }));
    const values = Array.from({ length: 200 }, (_, i) => (i % 17 === 0 ? "{" : `{"id":${i},"key":"of the value","note":"a\\n"}`));
    const keys = values.map((_, i) => [`key ${i}`, null, "", "schlüssel", Buffer.of(0x61, 0xff), Buffer.of(0xe2, 0x82)][i % 6]!);
    expect(pair.differs(makeRecords(values, keys))).toBeNull();
    const batch = pair.compiled.decode(makeRecords(values, keys), 0);
    expect(cellValue(batch.columns[1]!, 3)).toBe("schlüssel");
    expect(pair.compiled.tally.straight).toBeGreaterThan(0);
  });

  test("a million empty elements are refused as the interpreter refuses them", () => {
    const wide = makeContract({ l: { type: "list", of: { type: "struct", of: { ...scalars } } } });
    const limits = { ...smallLimits, rowsMax: 64, elementsPerRow: 4096, elementsMax: 131_072 };
    const pair = new Pair(wide, limits);
    expect(pair.differs(makeRecords([`{"l":[${"{},".repeat(60_000)}{}]}`, `{"l":[${"{},".repeat(40_000)}{}]}`]))).toBeNull();
  });

  test("any other codec's function is cut into chunks of the same size", () => {
    const records = makeRecords(Array.from({ length: 5000 }, (_, i) => `{"id":${i}}`));
    const decoder = chunked(jsonCodec.compile(contract));
    const rows: number[] = [];
    for (let from = 0; from < records.count; from += rows.at(-1)!) rows.push(decoder.decode(records, from).rows);
    expect(rows).toEqual([2048, 2048, 904]);
  });
});

test("kept and rejected unknown fields are the interpreter's, learned layouts or not", () => {
  for (const unknownFields of ["keep", "reject"] as const) {
    const contract = makeContract(nested, { policies: { unknownFields } });
    const pair = new Pair(contract);
    const fuzzer = new RecordFuzzer(contract.fields, new SeededRandom(1), 0);
    expect(pair.differs(makeRecords(Array.from({ length: 1500 }, () => fuzzer.record())))).toBeNull();
    expect(pair.compiled.tally.straight).toBeGreaterThan(100);
  }
});
