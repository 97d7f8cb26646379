// `npm test [-- VITEST ARGS...]`: runs vitest, then says in the last line how many tests passed and failed.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const scratch = mkdtempSync(join(tmpdir(), "sluice-report-"));
const report = join(scratch, "report.json");

function runVitest(args) {
  return new Promise((settle) => {
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const child = spawn(process.execPath, [vitest, "run", ...reporters, ...args], { cwd: root, stdio: "inherit" });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.once("error", () => settle(1));
    child.once("close", (code) => settle(code ?? 1));
  });
}

/** Counts of the report; a file that could not even be loaded, or an error outside every test, counts as one failure. `again`: what passed only after it ran out of time once. */
function count(exitCode) {
  const again = [];
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  try {
    for (const file of JSON.parse(readFileSync(report, "utf8")).testResults) {
      const of = (status) => file.assertionResults.filter((test) => test.status === status).length;
      const retried = file.assertionResults.filter((test) => test.status === "passed" && test.failureMessages.length > 0);
      again.push(...retried.map((test) => `${test.fullName}: ${test.failureMessages[0]}`));
      passed += of("passed");
      failed += of("failed");
      skipped += file.assertionResults.length - of("passed") - of("failed");
      if (file.status === "failed" && of("failed") === 0) failed++;
    }
  } catch (error) {
    console.error(`vitest left no report: ${error.message}`);
  }
  if (exitCode !== 0 && failed === 0) failed = 1;
  return { passed, failed, skipped, again };
}

const exitCode = await runVitest(process.argv.slice(2));
const { passed, failed, skipped, again } = count(exitCode);
rmSync(scratch, { recursive: true, force: true });
for (const test of again) console.log(`passed only the second time: ${test}`);
if (skipped > 0) console.log(`${skipped} skipped (what this machine lacks is said above)`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || exitCode !== 0 ? 1 : 0;
