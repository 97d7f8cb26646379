import { expect, test } from "vitest";
import { byteChain, type ByteChain } from "../../src/regex/byte-chain.ts";
import { compileDfa } from "../../src/regex/compile-dfa.ts";

function chainOf(pattern: string): ByteChain | null {
  const dfa = compileDfa(pattern);
  if ("reason" in dfa) throw new Error(dfa.reason);
  return byteChain(dfa, 8);
}

test("patterns whose places are independent are chains", () => {
  expect(chainOf("^N[0-9][0-9A-Z]{1,2}$")).toEqual({
    places: [
      [[0x4e, 0x4e]],
      [[0x30, 0x39]],
      [
        [0x30, 0x39],
        [0x41, 0x5a],
      ],
      [
        [0x30, 0x39],
        [0x41, 0x5a],
      ],
    ],
    lengths: [3, 4],
  });
  expect(chainOf("^$")).toEqual({ places: [], lengths: [0] });
  expect(chainOf("^(ab|cb)?$")).toEqual({
    places: [
      [
        [0x61, 0x61],
        [0x63, 0x63],
      ],
      [[0x62, 0x62]],
    ],
    lengths: [0, 2],
  });
  expect(chainOf("^\\p{Cs}")).toEqual({ places: [], lengths: [] });
});

test("others are not", () => {
  for (const pattern of ["abc", "^abc", "^a*$", "^(ab|cd)$", "^a{9}$", "^.$", ""]) expect(chainOf(pattern)).toBe(null);
});
