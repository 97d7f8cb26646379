import { readdirSync, readFileSync, existsSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import type { Diagnostic } from "../../src/core/errors.ts";
import { findImpurities } from "./purity.ts";
import { isPure, mayImport, pureLoaders, pureModules, purePackages, roomOf } from "./rooms.ts";
import type { ImportEdge, Node, Syntax } from "./syntax.ts";
import { parseSyntax, placeOf } from "./syntax.ts";

const lineCountMax = 400;
const bannedWords = new Set(["common", "data", "helper", "helpers", "info", "manager", "managers", "misc", "util", "utils"]);

interface SourceFile {
  /** Path below the project's root, with `/`. */
  readonly path: string;
  readonly syntax: Syntax;
}

/** Judges a project's own code by the rules that no ready-made tool keeps: rooms, purity, cycles, names, lengths, doc comments. */
export function tidy(root: string): readonly Diagnostic[] {
  const files = ["src", "scripts", "bench"]
    .flatMap((folder) => list(join(root, folder)))
    .filter((path) => /\.[cm]?[jt]s$/.test(path))
    .map((path): SourceFile => {
      const name = relative(root, path).split(sep).join("/");
      return { path: name, syntax: parseSyntax(name, readFileSync(path, "utf8")) };
    });
  const found: Diagnostic[] = [];
  for (const file of files) {
    found.push(...judgeText(file), ...judgeName(file));
    if (!file.path.startsWith("src/")) continue;
    const room = roomOf(file.path.slice("src/".length));
    if (room === null) {
      found.push(finding(file, 0, "unknown-room", `${file.path} stands in no room of scripts/tidy/rooms.ts`, "move it, or name its room"));
      continue;
    }
    for (const edge of file.syntax.imports) found.push(...judgeImport(file, room, edge));
    if (isPure(room)) {
      for (const one of findImpurities(file.syntax.program)) {
        found.push(finding(file, one.start, "impure", `${one.name} in the pure room ${room}`, "take it as an argument"));
      }
    }
    found.push(...judgeDocs(file));
  }
  found.push(...findCycles(files));
  return found;
}

function list(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : list(path);
      return entry.isFile() ? [path] : [];
    });
}

function finding(file: SourceFile, offset: number, code: string, message: string, hint: string | null): Diagnostic {
  const { line, column } = placeOf(file.syntax.text, offset);
  return { severity: "error", code, message, hint, location: { file: file.path, line, column } };
}

function judgeText(file: SourceFile): Diagnostic[] {
  const found = file.syntax.errors.map((message) => finding(file, 0, "syntax", message, null));
  const lines = file.syntax.text.split("\n").length - 1;
  if (lines > lineCountMax && !file.path.includes(".generated.")) {
    found.push(finding(file, 0, "too-long", `${lines} lines; at most ${lineCountMax}`, "one noun a file: split it"));
  }
  return found;
}

function judgeName(file: SourceFile): Diagnostic[] {
  const found: Diagnostic[] = [];
  const stems = file.path.split("/").map((part) => part.replace(/(\.generated|\.d)?\.[cm]?[jt]s$/, ""));
  for (const stem of stems) {
    // Iceberg's specification calls them data files.
    const words = stem.replace(/(?:^|-)data-file(?=-|$)/, "").split("-");
    const banned = words.find((word) => bannedWords.has(word));
    if (banned !== undefined) found.push(finding(file, 0, "banned-name", `"${banned}" says nothing`, "name the noun or the verb"));
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) found.push(finding(file, 0, "file-name", `"${stem}" is not kebab-case`, null));
  }
  for (const { name, node } of exportsOf(file.syntax.program)) {
    const words = name.split(/(?=[A-Z])|[_-]/).map((word) => word.toLowerCase());
    const banned = words.find((word) => /^(utils?|helpers?|managers?)$/.test(word));
    if (banned !== undefined) {
      found.push(finding(file, node.start, "banned-name", `"${banned}" in ${name} says nothing`, "name the noun or the verb"));
    }
  }
  return found;
}

function exportsOf(program: Node): readonly { readonly name: string; readonly node: Node; readonly declaration: Node }[] {
  return (program["body"] as readonly Node[]).flatMap((node) => {
    const declaration = node.type === "ExportNamedDeclaration" ? (node["declaration"] as Node | null) : null;
    if (declaration === null) return [];
    const declared = declaration.type === "VariableDeclaration" ? (declaration["declarations"] as readonly Node[]) : [declaration];
    return declared.flatMap((one) => {
      const id = one["id"] as Node | null | undefined;
      return typeof id?.["name"] === "string" ? [{ name: id["name"], node, declaration }] : [];
    });
  });
}

function judgeDocs(file: SourceFile): Diagnostic[] {
  return exportsOf(file.syntax.program)
    .filter(({ declaration }) => ["FunctionDeclaration", "ClassDeclaration"].includes(declaration.type))
    .filter(({ node }) => !file.syntax.docEnds.some((end) => end <= node.start && file.syntax.text.slice(end, node.start).trim() === ""))
    .filter(({ node }) => !isOverload(file.syntax.program, node))
    .map(({ name, node }) => finding(file, node.start, "no-doc", `exported ${name} has no doc comment`, "one sentence of contract"));
}

/** The implementation of an overloaded function: its signatures carry the docs. */
function isOverload(program: Node, node: Node): boolean {
  const body = program["body"] as readonly Node[];
  const before = body[body.indexOf(node) - 1];
  return (before?.["declaration"] as Node | null | undefined)?.type === "TSDeclareFunction";
}

function judgeImport(file: SourceFile, room: string, edge: ImportEdge): Diagnostic[] {
  const say = (message: string, hint: string | null = null): Diagnostic[] => [finding(file, edge.start, "import", message, hint)];
  if (edge.specifier === null) return say("import of something that is not a constant", "name the module");
  const specifier = edge.specifier;
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(file.path), specifier);
    if (!target.startsWith("src/")) return specifier.endsWith(".json") ? [] : say(`src may not import ${target}`);
    const to = roomOf(target.slice("src/".length));
    if (to === null) return say(`${target} stands in no room`);
    return mayImport(room, to) ? [] : say(`${room} may not import ${to} (${target})`, "take it as an argument, or move the type to core");
  }
  if (/^(\/|#|file:|data:|https?:)/.test(specifier)) return say(`${specifier}: import files by relative paths, packages by name`);
  if (!isPure(room) || pureLoaders[file.path] === specifier) return [];
  if (specifier.startsWith("node:") || specifier in pureModules) return judgePureModule(room, edge, specifier, say);
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  return purePackages.includes(name) ? [] : say(`the pure room ${room} may not import the package ${name}`);
}

function judgePureModule(room: string, edge: ImportEdge, specifier: string, say: (message: string) => Diagnostic[]): Diagnostic[] {
  const allowed = pureModules[specifier];
  if (allowed === undefined) return say(`the pure room ${room} may not import ${specifier}`);
  if (allowed === null) return [];
  if (edge.names === null) return say(`the pure room ${room} may import only ${allowed.join(", ")} from ${specifier}, by name`);
  return edge.names
    .filter((name) => !allowed.includes(name))
    .flatMap((name) => say(`the pure room ${room} may not import ${name} from ${specifier}`));
}

/** Each import cycle once, by the first file of it in name order. */
function findCycles(files: readonly SourceFile[]): Diagnostic[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const next = new Map(
    files.map((file) => [
      file.path,
      file.syntax.imports
        .filter((edge) => edge.specifier?.startsWith(".") === true)
        .map((edge) => posix.join(dirname(file.path), edge.specifier as string))
        .filter((path) => byPath.has(path)),
    ]),
  );
  const found: Diagnostic[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      const cycle = [...trail.slice(at), path];
      found.push(
        finding(byPath.get(path) as SourceFile, 0, "cycle", `import cycle: ${cycle.join(" -> ")}`, "move what both need to a third file"),
      );
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const to of next.get(path) ?? []) visit(to);
    trail.pop();
    done.add(path);
  };
  for (const path of next.keys()) visit(path);
  return found;
}
