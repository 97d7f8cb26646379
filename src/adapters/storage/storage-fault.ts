import { SluiceError } from "../../core/errors.ts";

const full = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** The typed error of what the operating system refused to do with a file; anything else is a bug and comes back as it is. */
export function storageFault(cause: unknown, action: string, path: string): unknown {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  if (cause instanceof SluiceError || typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code)) return cause;
  const options = { details: { path, errno: code }, cause };
  if (full.has(code)) return new SluiceError("STORAGE_FULL", `cannot ${action} ${path}: no space left (${code})`, options);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new SluiceError("NOT_FOUND", `cannot ${action} ${path}: there is no such file`, options);
  if (code === "EEXIST") return new SluiceError("FILE_EXISTS", `cannot ${action} ${path}: it exists already`, options);
  return new SluiceError("STORAGE_FAILED", `cannot ${action} ${path}: ${(cause as Error).message}`, options);
}
