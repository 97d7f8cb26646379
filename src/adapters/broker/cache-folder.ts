import { accessSync, constants, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The project's own folder, where `.cache/` stands when the user has no home to write to. */
const projectFolder = new URL("../../../", import.meta.url).pathname;

/**
 * The folder for things that are slow to fetch and safe to delete: `SLUICE_CACHE`, else the user's cache (shared by all clones), else `.cache`
 * in the project. The folder exists when this returns.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env["SLUICE_CACHE"]) return makeWritable(env["SLUICE_CACHE"]);
  try {
    return makeWritable(join(env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache"), "sluice"));
  } catch {
    return makeWritable(join(projectFolder, ".cache"));
  }
}

function makeWritable(folder: string): string {
  mkdirSync(folder, { recursive: true });
  accessSync(folder, constants.W_OK);
  return folder;
}
