import type { Arena } from "../wasm/arena.ts";
import { WasmModule } from "../wasm/module.ts";
import { bloomKernels } from "./kernels/bloom-kernels.ts";
import { boundKernels } from "./kernels/bound-kernels.ts";
import { dictionaryKernels } from "./kernels/dictionary-kernels.ts";
import { encodeKernels } from "./kernels/encode-kernels.ts";
import { gatherKernels } from "./kernels/gather-kernels.ts";
import { levelKernels } from "./kernels/level-kernels.ts";
import { textKernels } from "./kernels/text-kernels.ts";

const families = [levelKernels, gatherKernels, dictionaryKernels, boundKernels, encodeKernels, textKernels, bloomKernels] as const;

type Kernel = (...values: number[]) => number;

const names = [
  "firstAbsent",
  "presentRows",
  "deepen",
  "presentSlots",
  "spread",
  "gatherLongs",
  "gatherDoubles",
  "gatherSingles",
  "gatherFlags",
  "gatherWide",
  "gatherTexts",
  "gatherDecimals",
  "gatherTimes",
  "sumElements",
  "sumLengths",
  "numberNear",
  "numberLongs",
  "numberTexts",
  "rehashLongs",
  "rehashTexts",
  "expandLongs",
  "expandedBytes",
  "expandTexts",
  "minMaxLongs",
  "minMaxDoubles",
  "minMaxTexts",
  "minMaxWide",
  "markUsed",
  "usedLongs",
  "minMaxUsedTexts",
  "countFlags",
  "hybridBytes",
  "hybridNumbers",
  "packFlags",
  "deltaLongs",
  "narrowLongs",
  "narrowDoubles",
  "dropLengths",
  "areTexts",
  "hashFixed",
  "hashTexts",
  "insertHashes",
] as const;

/** The compiled inner loops of the encoder, over one arena; every argument is an address or a count. See `kernels/` for each. */
export type Kernels = Readonly<Record<(typeof names)[number], Kernel>>;

let compiled: WebAssembly.Module | null = null;

/** The kernels over an arena's memory; the module is the same for all, and compiled once. */
export function kernelsOver(arena: Arena): Kernels {
  if (compiled === null) {
    const module = new WasmModule();
    for (const family of families) family(module);
    compiled = new WebAssembly.Module(module.finish());
  }
  return arena.instantiate(compiled);
}
