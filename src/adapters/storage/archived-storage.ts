import type { Storage, StoredFile } from "../../core/storage.ts";

/** An archive of a lake, open. */
export interface OpenArchive {
  readonly name: string;
  readonly storage: Storage;
}

const archivePath = /^@([a-z][a-z0-9-]*)\/(.+)$/s;

/** A storage and its archives as one: paths that begin with `@<name>/` are the archive's of that name, all others the storage's own. */
export function withArchives(storage: Storage, archives: readonly OpenArchive[]): Storage {
  if (archives.length === 0) return storage;
  const byName = new Map(archives.map((each) => [each.name, each.storage]));
  const at = (path: string): { readonly inside: Storage; readonly rest: string; readonly prefix: string } => {
    const [, name = "", rest = ""] = archivePath.exec(path) ?? [];
    const inside = byName.get(name);
    return inside === undefined ? { inside: storage, rest: path, prefix: "" } : { inside, rest, prefix: `@${name}/` };
  };
  return {
    root: storage.root,
    archives: archives.map(({ name, storage: { root } }) => ({ name, root })),
    read: (path) => at(path).inside.read(at(path).rest),
    readRange: (path, from, to) => at(path).inside.readRange(at(path).rest, from, to),
    write: (path, bytes) => at(path).inside.write(at(path).rest, bytes),
    create: (path) => at(path).inside.create(at(path).rest),
    exists: (path) => at(path).inside.exists(at(path).rest),
    sizeBytes: (path) => at(path).inside.sizeBytes(at(path).rest),
    delete: (path) => at(path).inside.delete(at(path).rest),
    async *list(folder): AsyncIterable<string> {
      const { inside, rest, prefix } = at(folder);
      for await (const path of inside.list(rest)) yield `${prefix}${path}`;
    },
    async *files(folder): AsyncIterable<StoredFile> {
      const { inside, rest, prefix } = at(folder);
      for await (const file of inside.files(rest)) yield { ...file, path: `${prefix}${file.path}` };
    },
  };
}
