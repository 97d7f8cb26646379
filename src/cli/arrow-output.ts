import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { Schema } from "apache-arrow";
import { planArrow } from "../arrow/arrow-schema.ts";
import { encodeFooter, encodeStart, fileStart, type PlacedMessage, streamEnd } from "../arrow/ipc-message.ts";
import type { Contract } from "../core/contract.ts";
import type { IpcMessage } from "../core/ipc-message.ts";

/** One Arrow IPC file, or a stream where its name ends in `.arrows`, of rows that pass a contract. */
export class ArrowOutput {
  readonly #file: FileHandle;
  readonly #schema: Schema;
  readonly #isStream: boolean;
  readonly #batches: PlacedMessage[] = [];
  #dictionaries: readonly PlacedMessage[] = [];
  #offset = 0;

  private constructor(file: FileHandle, schema: Schema, isStream: boolean) {
    this.#file = file;
    this.#schema = schema;
    this.#isStream = isStream;
  }

  /** Rejects where the file can't be made. */
  static async open(path: string, contract: Contract): Promise<ArrowOutput> {
    const plan = planArrow(contract);
    const output = new ArrowOutput(await open(path, "w"), plan.schema, path.endsWith(".arrows"));
    const { schema, dictionaries } = encodeStart(plan);
    if (!output.#isStream) await output.#write(fileStart);
    await output.#write(schema.bytes);
    const placed: PlacedMessage[] = [];
    for (const dictionary of dictionaries) placed.push(await output.#place(dictionary));
    output.#dictionaries = placed;
    return output;
  }

  /** Writes a record batch. */
  async add(message: IpcMessage): Promise<void> {
    this.#batches.push(await this.#place(message));
  }

  async close(): Promise<void> {
    try {
      await this.#write(streamEnd);
      if (!this.#isStream) await this.#write(encodeFooter(this.#schema, this.#batches, this.#dictionaries));
    } finally {
      await this.#file.close();
    }
  }

  async #place({ bytes, metadataBytes }: IpcMessage): Promise<PlacedMessage> {
    const offset = this.#offset;
    await this.#write(bytes);
    return { offset, metadataBytes, bodyBytes: bytes.length - metadataBytes };
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes);
    this.#offset += bytes.length;
  }
}
