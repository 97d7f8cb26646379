import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "../../../src/adapters/files/ndjson-lines.ts";
import { recordsBytes, span } from "../../../src/core/records.ts";

const key = { topic: "t", topicId: "sha256:0", partition: 0 };

async function* chunked(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

interface Line {
  readonly offset: number;
  readonly text: string;
}

async function linesOf(
  bytes: Uint8Array,
  options: { sizes?: number[]; from?: bigint; runRowsMax?: number; recordBytesMax?: number } = {},
): Promise<{ lines: Line[]; next: bigint; runs: number }> {
  const { sizes = [1 << 20], from = 0n, runRowsMax = 1000, recordBytesMax = 1 << 20 } = options;
  const lines: Line[] = [];
  let next = from;
  let runs = 0;
  for await (const run of readLines(chunked(bytes, sizes), key, from, { runRowsMax, recordBytesMax })) {
    expect(run.records.count).toBeLessThanOrEqual(runRowsMax);
    expect(run.next).toBeGreaterThan(next);
    for (let row = 0; row < run.records.count; row++) {
      const text = Buffer.from(span(run.records, "value", row) as Uint8Array).toString("latin1");
      lines.push({ offset: Number(run.records.offsets[row]), text });
      expect([
        run.records.keyLength[row],
        run.records.headersLength[row],
        run.records.timestamps[row],
        run.records.timestampTypes[row],
      ]).toEqual([-1, 0, -1n, 2]);
    }
    next = run.next;
    runs++;
  }
  return { lines, next, runs };
}

/** The plain meaning: split at LF, drop one CR before it, leave out what is empty; nothing after a last LF. */
function meaning(text: string): { lines: Line[]; count: number } {
  const parts = text.split("\n");
  if (parts.at(-1) === "") parts.pop();
  const lines = parts
    .map((part, offset) => ({ offset, text: part.endsWith("\r") ? part.slice(0, -1) : part }))
    .filter((line) => line.text !== "");
  return { lines, count: parts.length };
}

test("lines are what splitting says, however the bytes come in pieces, from any line on", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", "{", "\r", "\n", "\n", "\u00ff", "\0"), maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      fc.nat(8),
      fc.integer({ min: 1, max: 4 }),
      async (of, sizes, from, runRowsMax) => {
        const want = meaning(of);
        const got = await linesOf(Buffer.from(of, "latin1"), { sizes, from: BigInt(from), runRowsMax });
        expect(got.lines).toEqual(want.lines.filter((line) => line.offset >= from));
        expect(got.next).toBe(BigInt(Math.max(from, want.count)));
      },
    ),
    { numRuns: 500 },
  );
});

test("a line over the limit stops with its number, after the rows before it, without being held", async () => {
  const bytes = Buffer.from(`{"a":1}\n\n{"b":2}\n${"x".repeat(5000)}\n{"c":3}\n`);
  for (const sizes of [[64], [1 << 20]]) {
    const seen: bigint[] = [];
    const reading = async (): Promise<void> => {
      for await (const run of readLines(chunked(bytes, sizes), key, 0n, { runRowsMax: 10, recordBytesMax: 1000 })) seen.push(run.next);
    };
    await expect(reading()).rejects.toMatchObject({ code: "SOURCE_OVERSIZED", message: "line 4 of t is longer than 1000 bytes" });
    expect(seen.at(-1)).toBe(3n);
  }
  let held = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      held += 1 << 16;
      yield new Uint8Array(1 << 16).fill(120);
    }
  }
  await expect(readLines(endless(), key, 0n, { runRowsMax: 10, recordBytesMax: 1 << 20 }).next()).rejects.toMatchObject({
    code: "SOURCE_OVERSIZED",
  });
  expect(held).toBeLessThan((1 << 20) + (1 << 18));
  expect((await linesOf(bytes, { from: 4n, recordBytesMax: 1000 })).lines).toEqual([{ offset: 4, text: '{"c":3}' }]);
});

test("a line of exactly the limit is a record, with either end", async () => {
  for (const end of ["\n", "\r\n", ""]) {
    const { lines } = await linesOf(Buffer.from("y".repeat(1000) + end), { recordBytesMax: 1000, sizes: [7] });
    expect(lines).toEqual([{ offset: 0, text: "y".repeat(1000) }]);
  }
});

test("runs of one chunk count their own bytes only", async () => {
  const bytes = Buffer.from("0123456789\n".repeat(10_000));
  let counted = 0;
  for await (const run of readLines(chunked(bytes, [1 << 20]), key, 0n, { runRowsMax: 100, recordBytesMax: 1000 })) {
    counted += recordsBytes(run.records) - run.records.count * 44;
  }
  expect(counted).toBe(bytes.length);
});
