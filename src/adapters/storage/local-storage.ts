import { randomBytes } from "node:crypto";
import { link, mkdir, open, opendir, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { FileWriter, Storage, StoredFile } from "../../core/storage.ts";
import { storageFault } from "./storage-fault.ts";

const unfinished = /^\.sluice-[0-9a-f]{16}\.tmp$/;

/** A folder of the local file system as storage. Files and the folders that name them are fsynced before a write resolves. */
export function createLocalStorage(folder: string): Storage {
  const root = resolve(folder);
  const folders = new FolderMaker(root);
  return {
    root: `file://${root}`,
    read: (path) => faulting("read", path, () => readFile(place(root, path))),
    readRange: (path, from, to) => faulting("read", path, () => readRange(place(root, path), from, to)),
    sizeBytes: (path) => faulting("stat", path, async () => (await stat(place(root, path))).size),
    exists: (path) => faulting("stat", path, () => isFile(place(root, path))),
    delete: (path) => faulting("delete", path, () => removeFile(place(root, path))),
    create: (path) => createFile(folders, path),
    list: (under) => listFiles(root, under),
    files: (under) => statFiles(root, under),
    async write(path, bytes) {
      const file = await createFile(folders, path);
      await file.write(bytes);
      await file.close();
    },
  };
}

/** Removes what killed processes left half written and nothing refers to, if untouched for `ageMsMin`; answers how many files went. Ends early if aborted. */
export async function sweepUnfinished(
  folder: string,
  { nowMs, ageMsMin, signal }: { readonly nowMs: number; readonly ageMsMin: number; readonly signal?: AbortSignal },
): Promise<number> {
  let removed = 0;
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (signal?.aborted === true) break;
    if (!entry.isFile() || !unfinished.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const info = await stat(path).catch(() => null);
    if (info === null || nowMs - info.mtimeMs < ageMsMin) continue;
    await removeFile(path);
    removed++;
  }
  return removed;
}

function place(root: string, path: string): string {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0"))) {
    throw new Error(`not a path inside a storage: ${JSON.stringify(path)}`);
  }
  return join(root, ...parts);
}

async function faulting<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw storageFault(cause, action, path);
  }
}

async function readRange(file: string, from: number, to: number): Promise<Uint8Array> {
  const handle = await open(file, "r");
  try {
    const bytes = new Uint8Array(Math.max(0, Math.min(to, (await handle.stat()).size) - from));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

async function isFile(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw cause;
  }
}

async function removeFile(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
  }
}

function isMissing(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

async function* listFiles(root: string, under: string): AsyncIterable<string> {
  const entries = await faulting("list", under, () => readdir(place(root, under), { withFileTypes: true })).catch((fault: unknown) => {
    if ((fault as { code?: string }).code === "NOT_FOUND") return [];
    throw fault;
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.isDirectory()) yield* listFiles(root, `${under}/${entry.name}`);
    else if (entry.isFile() && !unfinished.test(entry.name)) yield `${under}/${entry.name}`;
  }
}

async function* statFiles(root: string, under: string): AsyncIterable<StoredFile> {
  for await (const path of listFiles(root, under)) {
    const found = await stat(place(root, path)).catch((cause: unknown) => {
      if (isMissing(cause)) return null;
      throw storageFault(cause, "stat", path);
    });
    if (found !== null) yield { path, bytes: found.size, writtenAtMs: found.mtimeMs };
  }
}

async function createFile(folders: FolderMaker, path: string): Promise<FileWriter> {
  const target = place(folders.root, path);
  const folder = dirname(target);
  const temporary = join(folder, `.sluice-${randomBytes(8).toString("hex")}.tmp`);
  const handle = await faulting("write", path, async () => {
    await folders.make(folder);
    try {
      return await open(temporary, "wx");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
      // Someone removed a folder that was there before.
      folders.forget();
      await folders.make(folder);
      return open(temporary, "wx");
    }
  });
  return new LocalFileWriter(handle, temporary, target, path);
}

class LocalFileWriter implements FileWriter {
  private open: FileHandle | null;
  private readonly temporary: string;
  private readonly target: string;
  private readonly path: string;

  constructor(handle: FileHandle, temporary: string, target: string, path: string) {
    this.open = handle;
    this.temporary = temporary;
    this.target = target;
    this.path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.step((handle) => handle.writeFile(bytes));
  }

  async close(): Promise<void> {
    await this.step(async (handle) => {
      await handle.sync();
      this.open = null;
      await handle.close();
      try {
        await claim(this.temporary, this.target);
      } catch (cause) {
        // Whoever took the name may not have fsynced its folder yet; the caller is about to rely on that file.
        if ((cause as NodeJS.ErrnoException).code === "EEXIST") await syncFolder(dirname(this.target));
        throw cause;
      }
      await syncFolder(dirname(this.target));
    });
  }

  async abort(): Promise<void> {
    const handle = this.open;
    this.open = null;
    await handle?.close().catch(() => undefined);
    await removeFile(this.temporary).catch(() => undefined);
  }

  private async step(work: (handle: FileHandle) => Promise<void>): Promise<void> {
    if (this.open === null) throw new Error(`${this.path} is closed`);
    try {
      await work(this.open);
    } catch (cause) {
      await this.abort();
      throw storageFault(cause, "write", this.path);
    }
  }
}

/** Gives a finished file its name, unless that is taken (EEXIST): a hard link is atomic and never replaces. */
async function claim(temporary: string, target: string): Promise<void> {
  try {
    await link(temporary, target);
  } catch (cause) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
    // A file system without hard links: an empty file claims the name, the finished one replaces it.
    await (await open(target, "wx")).close();
    await rename(temporary, target);
    return;
  }
  await unlink(temporary);
}

/** Folders under a root, each durable in the one above before anything in it counts: also those that another process has just made. */
class FolderMaker {
  readonly root: string;
  private readonly durable = new Set<string>();

  constructor(root: string) {
    this.root = root;
  }

  async make(folder: string): Promise<void> {
    if (this.durable.has(folder)) return;
    if (folder === this.root) await mkdir(folder, { recursive: true });
    else {
      await this.make(dirname(folder));
      await mkdir(folder).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== "EEXIST") throw cause;
      });
    }
    await syncFolder(dirname(folder));
    this.durable.add(folder);
  }

  forget(): void {
    this.durable.clear();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
