import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { lintContract } from "../../src/contract/lint-contract.ts";
import { loadContract } from "../../src/contract/load-contract.ts";

const folder = resolve(import.meta.dirname, "../../schemas/examples");

test.each(readdirSync(folder).filter((name) => name.endsWith(".odcs.yaml")))("%s is a good contract", async (name) => {
  const { contract, diagnostics } = await loadContract(join(folder, name), (path) => readFile(path));
  const notable = [...diagnostics, ...lintContract(contract)].filter(({ severity }) => severity !== "info");
  expect(notable).toEqual([]);
  // Each shows what the plain one does not.
  expect(contract.record !== undefined || contract.drift !== null).toBe(true);
});
