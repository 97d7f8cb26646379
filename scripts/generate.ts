/** `npm run generate`: writes what is made from schemas and command definitions. `--check` only says what is out of date (exit 1). */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { generateAll } from "./generate/all.ts";

const home = resolve(import.meta.dirname, "..");
const check = process.argv.includes("--check");
for (const { path, text } of await generateAll(home)) {
  const file = resolve(home, path);
  let old: string | null = null;
  try {
    old = readFileSync(file, "utf8");
  } catch {
    // A page that was never written is out of date.
  }
  if (old === text) continue;
  if (!check) writeFileSync(file, text);
  else process.exitCode = 1;
  console.log(`${check ? "out of date" : "written"}: ${path}`);
}
