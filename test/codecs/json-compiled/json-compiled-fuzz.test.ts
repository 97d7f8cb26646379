import { expect, test } from "vitest";
import type { Contract } from "../../../src/core/contract.ts";
import { makeContract, makeRecords } from "../../fixtures/contract.ts";
import { Pair } from "./equality.ts";
import { nested, randomContract, scalars } from "./fuzzed-contracts.ts";
import { RecordFuzzer } from "./record-fuzzer.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Records in all: about so many of each contract's share are damaged ones. `npm run test:engine` asks for ten million. */
const records = Number(process.env["SLUICE_ENGINE_MUTANTS"] ?? 100_000);
/** The first seed; a failure names the one that it was found by. */
const firstSeed = Number(process.env["SLUICE_ENGINE_SEED"] ?? 1);
const perBatch = 400;
const options = { timeout: 60_000 + records * 0.2 };

/** Batches of one decoder, one seed each: a third as they should be, a third with awkward values, a third damaged. */
function fuzz(contract: Contract, count: number, seed: number): void {
  const pair = new Pair(contract);
  for (let done = 0; done < count; done += perBatch, seed++) {
    const random = new SeededRandom(seed);
    const clean = new RecordFuzzer(contract.fields, random, 0);
    const awkward = new RecordFuzzer(contract.fields, random, 0.05);
    const values = Array.from({ length: perBatch }, (_, i) =>
      i % 3 === 0 || done === 0 ? clean.record() : i % 3 === 1 ? awkward.record() : awkward.mutant(),
    );
    const found = pair.differs(makeRecords(values));
    if (found !== null) expect.fail(`seed ${seed}: ${found}`);
  }
}

test("flat records, and damaged ones", options, () => {
  fuzz(makeContract(scalars), records * 0.4, firstSeed);
});

test("nested records, and damaged ones", options, () => {
  fuzz(makeContract(nested), records * 0.3, firstSeed);
});

test("records of any contract, and damaged ones", options, () => {
  const share = records * 0.3;
  const perContract = Math.max(perBatch * 2, Math.floor(share / 1000));
  for (let done = 0, seed = firstSeed; done < share; done += perContract, seed++)
    fuzz(randomContract(new SeededRandom(seed)), perContract, seed * 1000);
});

test("every byte of a record replaced by every byte", () => {
  const contract = makeContract(nested);
  const clean = new RecordFuzzer(contract.fields, new SeededRandom(7), 0);
  const usual = Array.from({ length: 100 }, () => clean.record());
  const text = Buffer.from(
    '{"id":-7,"o":{"i":1,"g":2.5,"s":"é\\n","b":true,"ts":"2013-01-01T05:00:00.5Z","j":{"a":[1]}},"l":["x"],"m":{"k":1e5},"mm":{"y":{"x":"z"}}}',
  );
  const pair = new Pair(contract);
  expect(pair.differs(makeRecords(usual))).toBeNull();
  for (let at = 0; at < text.length; at++) {
    const values = Array.from({ length: 256 }, (_, byte) => {
      const copy = Uint8Array.from(text);
      copy[at] = byte;
      return copy;
    });
    const found = pair.differs(makeRecords(values));
    if (found !== null) expect.fail(`byte ${at}: ${found}`);
  }
});

test("every double is the nearest", options, () => {
  const contract = makeContract({ x: { type: "double" }, f: { type: "float" } });
  const pair = new Pair(contract);
  const random = new SeededRandom(firstSeed);
  const bits = new Uint32Array(2);
  const double = new Float64Array(bits.buffer);
  for (let done = 0; done < records; done += 2000) {
    const texts = Array.from({ length: 2000 }, (_, i) => {
      if (i % 4 === 0) return `${random.below(2 ** 31)}${random.below(2 ** 31)}e${random.below(700) - 360}`;
      if (i % 4 === 1) return `${random.below(10 ** random.below(7))}.${random.below(2 ** 31)}${random.below(10 ** random.below(9))}`;
      bits[0] = random.below(2 ** 32);
      bits[1] = random.below(2 ** 32);
      // Among those are subnormal numbers, and ones next to halfway between two.
      if (i % 8 === 2) bits[1] = bits[1] % 2 ** 21;
      const value = Number.isFinite(double[0]) ? double[0]! : 1;
      return i % 4 === 2 ? String(value) : value.toExponential(15 + random.below(4));
    });
    const found = pair.differs(makeRecords(texts.map((text) => `{"x":${text},"f":${text}}`)));
    if (found !== null) expect.fail(found);
  }
});
