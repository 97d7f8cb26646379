import { pageChecksum } from "./compress.ts";
import { ThriftWriter } from "./thrift-writer.ts";

/** Encodings by their numbers in `parquet.thrift`. */
export const Encoding = { plain: 0, rle: 3, deltaBinaryPacked: 5, rleDictionary: 8 } as const;

/** Page types by their numbers in `parquet.thrift`. */
export const PageType = { data: 0, dictionary: 2 } as const;

/** The header of a version 1 data page (the version that every reader takes) or of a dictionary page, before its compressed body. */
export function pageHeader(page: {
  readonly type: (typeof PageType)[keyof typeof PageType];
  readonly uncompressedBytes: number;
  readonly body: Uint8Array;
  /** Slots of a data page, nulls included; entries of a dictionary. */
  readonly values: number;
  readonly encoding: number;
}): Uint8Array {
  const header = new ThriftWriter();
  header.nested(() => {
    header.i32(1, page.type);
    header.i32(2, page.uncompressedBytes);
    header.i32(3, page.body.length);
    header.i32(4, pageChecksum(page.body));
    if (page.type === PageType.data) {
      header.struct(5, () => {
        header.i32(1, page.values);
        header.i32(2, page.encoding);
        header.i32(3, Encoding.rle);
        header.i32(4, Encoding.rle);
      });
    } else {
      header.struct(7, () => {
        header.i32(1, page.values);
        header.i32(2, page.encoding);
      });
    }
  });
  return header.bytes();
}
