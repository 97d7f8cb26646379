import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { UsageError } from "../failure.ts";

/** What a demo needs to know to go on after a kill; it also marks the folder as one that the demo made and may empty. */
export interface DemoState {
  readonly rows: number;
  /** Null: files are read instead. */
  readonly topic: string | null;
  readonly partitions: number;
}

const markerName = "sluice-demo.json";

/** The state of the demo in a folder. */
export function readDemoState(folder: string): DemoState {
  try {
    return JSON.parse(readFileSync(join(folder, markerName), "utf8")) as DemoState;
  } catch (cause) {
    throw new UsageError(
      `there is no demo to resume in ${folder}: ${(cause as NodeJS.ErrnoException).code === "ENOENT" ? "it has no sluice-demo.json" : String(cause)}`,
    );
  }
}

/** Empties the folder if a demo made it, makes it, and marks it. Refuses a folder with anything else in it. */
export function resetFolder(folder: string): void {
  if (existsSync(folder)) {
    const names = readdirSync(folder);
    if (names.length > 0 && !names.includes(markerName)) {
      throw new SluiceError("FILE_EXISTS", `${folder} holds something that no demo made; choose another with --folder`);
    }
    for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
  }
  mkdirSync(folder, { recursive: true });
}

/** Writes the state, and with it the mark. */
export function writeDemoState(folder: string, state: DemoState): void {
  writeFileSync(join(folder, markerName), `${JSON.stringify(state)}\n`);
}
