import { BrokenInvariant } from "../../core/broken-invariant.ts";
import { byteChain, type ByteChain } from "../../regex/byte-chain.ts";
import { compileDfa } from "../../regex/compile-dfa.ts";
import { foundState, type Dfa } from "../../regex/dfa.ts";
import {
  add,
  and,
  c128,
  c32,
  c64,
  geU,
  gtU,
  leU,
  load16U,
  load32,
  load8U,
  loadV128,
  ltU,
  or,
  shl,
  shrU,
  wrap,
  extendU,
  type Expr,
} from "../../wasm/expression.ts";
import { i8x16, simd, splat8 } from "../../wasm/simd.ts";
import type { TextAutomata } from "../text-automata.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { TextTest } from "./text-mask.ts";

/** Places of a chain that are checked at once, and how many ranges of bytes a place may have. */
const chainPlacesMax = 48;
const chainRangesMax = 3;

/** Runs an automaton over a text. Rows of its table end with whether the state accepts; states are their rows' offsets. */
function tableTest(kernels: KernelModule, dfa: Dfa): TextTest {
  const { classes, classCount, stateCount, table, accepting } = dfa;
  const cells = classCount + 1;
  const narrow = stateCount * cells * 2 <= 0x10000;
  const shift = narrow ? 1 : 2;
  const stride = cells << shift;
  const rows = narrow ? new Uint16Array(stateCount * cells) : new Uint32Array(stateCount * cells);
  for (let state = 0; state < stateCount; state++) {
    for (let c = 0; c < classCount; c++) rows[state * cells + c] = (table[state * classCount + c] as number) * stride;
    rows[state * cells + classCount] = accepting[state] as number;
  }
  const classAddress = kernels.constant(classes);
  const tableAddress = kernels.constant(new Uint8Array(rows.buffer));
  const load = narrow ? load16U : load32;
  return (f, start, length) => {
    const state = f.local("i32");
    const at = f.local("i32");
    const end = f.local("i32");
    f.set(state, c32(dfa.start * stride));
    f.set(at, start);
    f.set(end, add(start, length));
    f.block((done) => {
      f.loop((again) => {
        f.brIf(done, geU(at, end));
        f.set(state, load(add(state, shl(load8U(load8U(at), classAddress), c32(shift))), tableAddress));
        f.set(at, add(at, c32(1)));
        f.brIf(again, gtU(state, c32(foundState * stride)));
      });
    });
    return load(state, tableAddress + (classCount << shift));
  };
}

/** Sixteen places of a chain: for each range number the least byte and how many follow it. Behind the last place anything may stand. */
function chainBlock(chain: ByteChain, block: number): { readonly least: Uint8Array; readonly span: Uint8Array }[] {
  const ranges = Math.max(...chain.places.slice(block * 16, block * 16 + 16).map((place) => place.length));
  return Array.from({ length: ranges }, (_, r) => {
    const least = new Uint8Array(16);
    const span = new Uint8Array(16).fill(255);
    for (let lane = 0; lane < 16; lane++) {
      const place = chain.places[block * 16 + lane];
      const range = place?.[r] ?? place?.[0];
      if (range === undefined) continue;
      least[lane] = range[0];
      span[lane] = range[1] - range[0];
    }
    return { least, span };
  });
}

/** All places of a text at once, where what may stand at a place depends on the place alone. */
function chainTest(chain: ByteChain): TextTest {
  const longest = chain.lengths.at(-1) ?? 0;
  const oneLength = chain.lengths.length === 1;
  let lengths = 0n;
  for (const length of chain.lengths) lengths |= 1n << BigInt(length);
  return (f, start, length) => {
    const bytes = f.local("v128");
    let all: Expr = oneLength
      ? eqLength(length, longest)
      : and(ltU(length, c32(64)), and(wrap(shrU(c64(lengths), extendU(and(length, c32(63))))), c32(1)));
    for (let block = 0; block * 16 < longest; block++) {
      const good = f.local("v128");
      f.set(bytes, loadV128(start, block * 16));
      const tests = chainBlock(chain, block).map(({ least, span }) => i8x16.leU(i8x16.sub(bytes, c128(least)), c128(span)));
      f.set(
        good,
        tests.reduce((left, test) => simd.or(left, test)),
      );
      // Where texts may end earlier, what stands behind them doesn't count.
      const places = Uint8Array.from({ length: 16 }, (_, lane) => block * 16 + lane);
      if (!oneLength) f.set(good, simd.or(good, i8x16.geU(c128(places), splat8(length))));
      all = and(all, i8x16.allTrue(good));
    }
    return all;
  };
}

const eqLength = (length: Expr, to: number): Expr => and(leU(length, c32(to)), geU(length, c32(to)));

/** Whether a module can take the tables of some automata. */
export function affordsDfas(kernels: KernelModule, dfas: readonly Dfa[]): boolean {
  return kernels.affords(dfas.reduce((sum, { table, stateCount }) => sum + (table.length + stateCount) * 4, 0));
}

/** Whether an automaton accepts a text. */
export function dfaTest(kernels: KernelModule, dfa: Dfa): TextTest {
  const chain = byteChain(dfa, chainPlacesMax);
  const simple = chain !== null && chain.lengths.length > 0 && chain.places.every((place) => place.length <= chainRangesMax);
  return simple ? chainTest(chain) : tableTest(kernels, dfa);
}

/** Texts of nothing but what ECMAScript's `trim` takes away. */
export function blankTest(kernels: KernelModule): TextTest {
  const dfa = compileDfa("^[\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}]*$");
  if ("reason" in dfa) throw new BrokenInvariant(dfa.reason);
  return dfaTest(kernels, dfa);
}

/** Whether one of the ways of a text format accepts a text. */
export function automataTest(kernels: KernelModule, { ways }: TextAutomata): TextTest {
  const tests = ways.map(({ dfas, bytesMax }) => ({ bytesMax, tests: dfas.map((dfa) => dfaTest(kernels, dfa)) }));
  return (f, start, length) => {
    const accepted = f.local("i32");
    f.set(accepted, c32(0));
    for (const way of tests) {
      const fits = Number.isFinite(way.bytesMax) ? leU(length, c32(way.bytesMax)) : c32(1);
      f.if(fits, () => {
        let all: Expr = c32(1);
        for (const test of way.tests) {
          const one = f.local("i32");
          f.set(one, test(f, start, length));
          all = and(all, one);
        }
        f.set(accepted, or(accepted, all));
      });
    }
    return accepted;
  };
}
