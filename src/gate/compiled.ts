import { BrokenInvariant } from "../core/broken-invariant.ts";
import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import { compileValidator } from "../rules/compile-validator.ts";
import type { ChunkEngine } from "./chunk-engine.ts";
import { openCompiledEngine, openReferenceEngine } from "./chunk-engine.ts";
import { collectSoon } from "./collect-soon.ts";

/** How a contract is run: by WebAssembly made for it, or by the plain implementation that the compiled one is held against. */
export type EngineKind = "compiled" | "reference";

/** An engine that an odd window made this much larger than the next one needed is left to the collector, and another is opened. */
const spareBytesMax = 64 << 20;

/** A contract ready to judge. Compiled once, used for every window until the contract changes. */
export interface CompiledContract {
  readonly contract: Contract;
  readonly kind: EngineKind;
  /** Lends an engine to one window, until it is given back. */
  lend(): ChunkEngine;
  giveBack(engine: ChunkEngine): void;
}

/** Throws CONTRACT_INVALID where a contract can't be compiled, before anything depends on it. */
export function checkContract(contract: Contract): void {
  compileValidator(contract);
}

/** Compiles a contract: the one place that chooses between engine and reference. Throws nothing that `loadContract` has not already reported. */
export function compile(contract: Contract, kind: EngineKind): CompiledContract {
  const openReference = (): ChunkEngine => openReferenceEngine(contract);
  let open = openReference;
  if (kind === "compiled") {
    open = () => {
      try {
        return openCompiledEngine(contract);
      } catch (fault) {
        // A contract that is wrong is wrong by any engine, and a bug crashes.
        if (fault instanceof SluiceError || fault instanceof BrokenInvariant) throw fault;
        const reason = fault instanceof Error ? fault.message : String(fault);
        open = () => ({ ...openReference(), fallback: `everything: ${reason}` });
        return open();
      }
    };
  }
  let free: ChunkEngine | null = open();
  return {
    contract,
    kind,
    lend: () => {
      const engine = free ?? open();
      free = null;
      return engine;
    },
    giveBack: (engine) => {
      const isBloated = engine.takeSpareBytes() > spareBytesMax;
      free = isBloated ? null : engine;
      if (isBloated) collectSoon();
    },
  };
}
