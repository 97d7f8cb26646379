import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const home = resolve(import.meta.dirname, "../..");

/** A small project with the real project's settings, clean until a test plants something. */
export interface PlantedProject {
  readonly root: string;
  plant(path: string, text: string): void;
  /** Runs one check of `npm run check` on it. */
  check(name: string): Promise<{ readonly code: number; readonly output: string }>;
  remove(): void;
}

/** Makes the project in a temporary folder; `remove` deletes it. */
export function createPlantedProject(): PlantedProject {
  const root = mkdtempSync(join(tmpdir(), "sluice-planted-"));
  for (const name of [".oxlintrc.json", ".oxfmtrc.json", "tsconfig.json", "knip.json"]) cpSync(join(home, name), join(root, name));
  symlinkSync(join(home, "node_modules"), join(root, "node_modules"));
  const plant = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  plant("package.json", '{\n  "name": "planted",\n  "private": true,\n  "type": "module"\n}\n');
  plant("src/core/one.ts", "/** One. */\nexport const one = 1;\n");
  plant("src/gate/two.ts", 'import { one } from "../core/one.ts";\n\n/** Two. */\nexport const two = one + 1;\n');
  plant("src/cli/main.ts", 'import { two } from "../gate/two.ts";\n\nprocess.stdout.write(String(two));\n');
  plant("test/one.test.ts", 'import { one } from "../src/core/one.ts";\n\nif (one !== 1) throw new Error("one");\n');
  return {
    root,
    plant,
    check: (name) =>
      new Promise((settle) => {
        const args = [join(home, "scripts/check.mjs"), "--root", root, "--only", name];
        execFile(process.execPath, args, (error, stdout, stderr) => {
          settle({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
        });
      }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
