import type { CompactTheta } from "./theta.ts";
import { thetaMax } from "./theta.ts";

const serialVersion = 3;
const compactFamily = 3;
const Flag = { readOnly: 2, empty: 4, compact: 8, ordered: 16 } as const;
/** The first 16 bits of the hash of the default seed: images of other seeds can't be united with these. */
const seedHash = 0x93cc;

/** The image of a sketch as Apache DataSketches' compact, ordered theta sketch of its default seed. */
export function thetaImage({ theta, hashes }: CompactTheta): Uint8Array {
  const isEstimate = theta !== thetaMax;
  const isEmpty = hashes.length === 0 && !isEstimate;
  const preambleWords = isEstimate ? 3 : hashes.length <= 1 ? 1 : 2;
  const image = new Uint8Array(8 * (preambleWords + hashes.length));
  const view = new DataView(image.buffer);
  image.set([preambleWords, serialVersion, compactFamily, 0, 0]);
  image[5] = Flag.readOnly | Flag.compact | Flag.ordered | (isEmpty ? Flag.empty : 0);
  view.setUint16(6, seedHash, true);
  if (preambleWords > 1) view.setUint32(8, hashes.length, true);
  if (isEstimate) view.setBigUint64(16, theta, true);
  hashes.forEach((hash, i) => view.setBigUint64(8 * (preambleWords + i), hash, true));
  return image;
}

/** Reads such an image, of any sketch of the default seed. Throws RangeError on others. */
export function parseThetaImage(image: Uint8Array): CompactTheta {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const preambleWords = view.getUint8(0) & 0x3f;
  const flags = view.getUint8(5);
  const wanted = Flag.compact | Flag.ordered;
  if (view.getUint8(1) !== serialVersion || view.getUint8(2) !== compactFamily || (flags & wanted) !== wanted)
    throw new RangeError("the image is of no compact, ordered theta sketch");
  if ((flags & Flag.empty) !== 0) return { theta: thetaMax, hashes: [] };
  if (view.getUint16(6, true) !== seedHash) throw new RangeError("the sketch is of another seed");
  const count = preambleWords === 1 ? 1 : view.getUint32(8, true);
  if (preambleWords < 1 || preambleWords > 3 || image.byteLength !== 8 * (preambleWords + count))
    throw new RangeError(`a sketch of ${count} hashes has ${image.byteLength} bytes`);
  const theta = preambleWords === 3 ? view.getBigUint64(16, true) : thetaMax;
  const hashes = Array.from({ length: count }, (_, i) => view.getBigUint64(8 * (preambleWords + i), true));
  if (hashes.some((hash, i) => hash === 0n || hash >= theta || hash <= (hashes[i - 1] ?? 0n)))
    throw new RangeError("its hashes are out of order");
  return { theta, hashes };
}
