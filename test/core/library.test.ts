import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { purePackages } from "../../scripts/tidy/rooms.ts";
import { library } from "../../src/core/library.ts";

const root = new URL("../../", import.meta.url);

describe("library", () => {
  test("loads nothing but pure packages, each of which is there, once", () => {
    const text = readFileSync(new URL("src/core/library.ts", root), "utf8");
    const named = [...text.matchAll(/load\("((?:@[^/"]+\/)?[^/"]+)/g)].map(([, name]) => name as string);
    expect(named).toHaveLength(Object.keys(library).length);
    for (const name of named) expect(purePackages).toContain(name);
    for (const load of Object.values(library)) {
      expect(Object.keys(load())).not.toHaveLength(0);
      expect(load()).toBe(load());
    }
  });

  test("an engine thread and a check load none of them before a contract needs one", () => {
    const watch = `
      import module from "node:module";
      const seen = [];
      module.registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
      await import("./src/gate/engine-worker.ts");
      await import("./src/cli/check.ts");
      const wanted = /node_modules\\/(ajv|@bufbuild\\/[^/]+|protobufjs|apache-arrow)\\//;
      console.log(JSON.stringify([...new Set(seen.flatMap((url) => wanted.exec(url)?.[1] ?? []))]));`;
    const options = { cwd: fileURLToPath(root), encoding: "utf8" } as const;
    const out = execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", watch], options);
    expect(JSON.parse(out)).toEqual([]);
  });
});
