import { readFileSync } from "node:fs";
import { SluiceError } from "../core/errors.ts";
import type { TlsOptions } from "../core/tls.ts";
import type { TLS } from "./config-document.generated.ts";

/** TLS settings with their files read; `section` is where they stand. Rejects with FILE_NOT_FOUND. */
export function completeTls(tls: TLS, section: string): TlsOptions {
  return {
    ...(tls.ca !== undefined && { ca: readPart(tls.ca, `${section}.tls.ca`) }),
    ...(tls.cert !== undefined && { cert: readPart(tls.cert, `${section}.tls.cert`) }),
    ...(tls.key !== undefined && { key: readPart(tls.key, `${section}.tls.key`) }),
    ...(tls.serverName !== undefined && { serverName: tls.serverName }),
    rejectUnauthorized: tls.verify,
  };
}

/** The text of a file that a setting names. Rejects with FILE_NOT_FOUND. */
function readPart(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new SluiceError("FILE_NOT_FOUND", `${setting}: ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** A secret that stands alone in a file; an editor may have put a line break behind it. Rejects with FILE_NOT_FOUND. */
export function readSecret(path: string, setting: string): string {
  return readPart(path, setting).replace(/\r?\n$/, "");
}

/** Why a file could not be read, in words. */
export function reasonOf(cause: unknown): string {
  const code = (cause as { readonly code?: string }).code;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "it may not be read";
  return code === "EISDIR" ? "it is a folder" : String(code ?? cause);
}
