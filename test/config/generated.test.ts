import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { generateAll } from "../../scripts/generate/all.ts";

const home = resolve(import.meta.dirname, "../..");

it("every generated file is current (`npm run generate` writes them)", async () => {
  const stale = (await generateAll(home)).filter(({ path, text }) => readFileSync(join(home, path), "utf8") !== text);
  expect(stale.map((one) => one.path)).toEqual([]);
});
