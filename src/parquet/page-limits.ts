import type { PageLimits } from "./written-file.ts";

/** Open pages and dictionaries of all columns share these; a column has at least the least and at most the most of either. */
const openBytes = {
  pages: 64 << 20,
  pageMin: 32 << 10,
  pageMax: 1 << 20,
  dictionaries: 64 << 20,
  dictionaryMin: 16 << 10,
  dictionaryMax: 1 << 20,
};
const pageRowsMax = 65_536;

/** Page limits of a file with so many leaf columns. */
export function pageLimitsOf(columns: number): PageLimits {
  const share = (all: number, least: number, most: number): number => Math.max(least, Math.min(most, Math.floor(all / columns)));
  return {
    rowsMax: pageRowsMax,
    bytesMax: share(openBytes.pages, openBytes.pageMin, openBytes.pageMax),
    dictionaryBytesMax: share(openBytes.dictionaries, openBytes.dictionaryMin, openBytes.dictionaryMax),
  };
}
