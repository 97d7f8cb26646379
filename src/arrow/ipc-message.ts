import type { RecordBatch, Schema, Vector } from "apache-arrow";
import { Message, MetadataVersion } from "apache-arrow";
import { FileBlock, Footer } from "apache-arrow/ipc/metadata/file";
import { DictionaryBatch, RecordBatch as BatchHeader } from "apache-arrow/ipc/metadata/message";
import { VectorAssembler } from "apache-arrow/visitor/vectorassembler";
import type { IpcMessage } from "../core/ipc-message.ts";
import type { ArrowPlan } from "./arrow-schema.ts";

const magic = Buffer.from("ARROW1");
const align = (size: number): number => (size + 7) & ~7;

/** A record batch as a message. */
export function encodeBatch(batch: RecordBatch): IpcMessage {
  const { header, body, size } = assemble(batch, batch.numRows);
  return message(Message.from(header, size), body, size);
}

interface Body {
  readonly offset: number;
  readonly buffer: Uint8Array;
}

function assemble(values: RecordBatch | Vector, rows: number): { header: BatchHeader; body: readonly Body[]; size: number } {
  const { byteLength, nodes, bufferRegions, buffers, variadicBufferCounts } = VectorAssembler.assemble(values);
  const body = buffers.map((buffer, i) => ({
    offset: (bufferRegions[i] as { readonly offset: number }).offset,
    buffer: new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength),
  }));
  return { header: new BatchHeader(rows, nodes, bufferRegions, null, variadicBufferCounts), body, size: byteLength };
}

function message(header: Message, body: readonly Body[], bodyBytes: number): IpcMessage {
  const metadata = Message.encode(header);
  const metadataBytes = align(8 + metadata.length);
  const bytes = new Uint8Array(metadataBytes + bodyBytes);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, metadataBytes - 8, true);
  bytes.set(metadata, 8);
  for (const { offset, buffer } of body) bytes.set(buffer, metadataBytes + offset);
  return { bytes, metadataBytes };
}

/** What a stream begins with: the schema, then each dictionary. */
export function encodeStart({ schema, listed }: ArrowPlan): { readonly schema: IpcMessage; readonly dictionaries: readonly IpcMessage[] } {
  const dictionaries = [...listed.values()]
    .filter(({ type }) => schema.dictionaries.has(type.id))
    .map(({ type, dictionary }) => {
      const { header, body, size } = assemble(dictionary, dictionary.length);
      return message(Message.from(new DictionaryBatch(header, type.id, false), size), body, size);
    });
  return { schema: message(Message.from(schema), [], 0), dictionaries };
}

/** Where the messages of a file stand in it. */
export interface PlacedMessage {
  readonly offset: number;
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

/** What a file begins with, before the stream's bytes. */
export const fileStart: Uint8Array = Buffer.concat([magic, Buffer.alloc(2)]);

/** What a stream ends with. */
export const streamEnd: Uint8Array = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** What follows the stream's bytes in a file: where its batches stand. */
export function encodeFooter(schema: Schema, batches: readonly PlacedMessage[], dictionaries: readonly PlacedMessage[]): Uint8Array {
  const block = ({ offset, metadataBytes, bodyBytes }: PlacedMessage): FileBlock => new FileBlock(metadataBytes, bodyBytes, offset);
  const footer = Footer.encode(new Footer(schema, MetadataVersion.V5, batches.map(block), dictionaries.map(block)));
  const size = Buffer.alloc(4);
  size.writeInt32LE(footer.length);
  return Buffer.concat([footer, size, magic]);
}
