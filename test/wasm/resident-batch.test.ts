import { expect, it } from "vitest";
import { jsonCodec } from "../../src/codecs/json.ts";
import type { Batch } from "../../src/core/batch.ts";
import { Arena } from "../../src/wasm/arena.ts";
import { copyBatch } from "../../src/wasm/copy-batch.ts";
import { defaultLimits, layoutBatch } from "../../src/wasm/layout.ts";
import { ChunkOverflow, makeResident } from "../../src/wasm/resident-batch.ts";
import { cellValue } from "../fixtures/column-value.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";

const contract = makeContract({
  flag: { type: "boolean" },
  count: { type: "long" },
  price: { type: "decimal" },
  ratio: { type: "double" },
  name: { type: "string" },
  tags: { type: "list", of: { type: "string" } },
  prices: { type: "map", of: { type: "double" } },
  place: { type: "struct", of: { city: { type: "string" }, zip: { type: "int" } } },
});

const texts = [
  '{"flag":true,"count":9007199254740993,"price":"12.34","ratio":0.1,"name":"a\\u00e9","tags":["x","","yy"],"prices":{"k":1.5},"place":{"city":"Ulm","zip":89073}}',
  '{"flag":null,"count":"no","name":"","tags":[],"place":null}',
  "not json",
  '{"flag":false,"count":-1,"price":0.01,"ratio":-0,"name":"plain","tags":["z"],"prices":{"a":null,"b":2},"place":{"zip":1}}',
];

const decode = (): Batch => jsonCodec.compile(contract)(makeRecords(texts));
const cells = (batch: Batch): unknown[] =>
  batch.columns.map((column) => Array.from({ length: batch.rows }, (_, row) => cellValue(column, row)));

it("a batch made resident has the same cells", () => {
  const arena = new Arena();
  const layout = layoutBatch(contract.fields, arena);
  const batch = decode();
  const resident = makeResident(batch, layout, arena);
  expect(cells(resident)).toEqual(cells(batch));
  expect(resident.resident).toBe(layout);
  expect(resident.columns.map((column) => column.invalid ?? null)).toEqual(batch.columns.map((column) => column.invalid ?? null));
  expect(resident.columns[0]?.state.buffer).toBe(arena.memory.buffer);
});

it("a copied batch outlives the next chunk", () => {
  const arena = new Arena();
  const layout = layoutBatch(contract.fields, arena);
  const copy = copyBatch(makeResident(decode(), layout, arena));
  const before = cells(copy);
  arena.bytes(64, arena.used - 64).fill(0xff);
  expect(cells(copy)).toEqual(before);
  expect(before).toEqual(cells(decode()));
  expect(copy.resident).toBeNull();
});

it("says what does not fit", () => {
  const arena = new Arena();
  const layout = layoutBatch(contract.fields, arena, 0, { ...defaultLimits, rowsMax: 3 });
  expect(() => makeResident(decode(), layout, arena)).toThrow(ChunkOverflow);
});
