import type { SourceRun } from "../../core/ports.ts";
import { recordsBytes } from "../../core/records.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { FetchMemory } from "./fetch-memory.ts";
import type { PartitionSlot } from "./partition-slot.ts";
import type { DecodedRun, RunDecoder } from "./run-decoder.ts";

export interface RunPumpOptions {
  readonly budget: ByteBudget;
  readonly memory: FetchMemory;
  /** Whether deliveries are still ours to make. */
  alive(): boolean;
  /** Whether a slot is still the one of its partition. */
  current(slot: PartitionSlot): boolean;
  deliver(run: SourceRun): void;
  /** A batch could not be read; the slot stands where the good ones end. */
  bad(slot: PartitionSlot, error: unknown): void;
  /** A slot's bytes are used up. */
  drained(): void;
}

/** Decodes fetched bytes run by run and hands them out, as long as the budget has room or nothing at all is out (a run larger than the budget goes alone). */
export class RunPump {
  readonly #options: RunPumpOptions;
  readonly #queue: PartitionSlot[] = [];
  #pumping = false;
  #delivered = 0;

  constructor(options: RunPumpOptions) {
    this.#options = options;
  }

  /** Bytes handed out and not released. */
  get delivered(): number {
    return this.#delivered;
  }

  add(slot: PartitionSlot, decoder: RunDecoder): void {
    slot.decoder = decoder;
    this.#queue.push(slot);
    this.pump();
  }

  /** Forgets what was fetched for a slot and not handed out. */
  drop(slot: PartitionSlot): void {
    const at = this.#queue.indexOf(slot);
    if (at >= 0) this.#queue.splice(at, 1);
    if (slot.decoder !== null) {
      this.#options.budget.give(slot.decoder.remaining);
      this.#options.memory.release(slot.decoder.bytes);
    }
    slot.decoder = null;
  }

  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let drained = false;
    try {
      for (let slot = this.#queue[0]; slot !== undefined && this.#hasRoom(); slot = this.#queue[0]) {
        const ours = this.#options.alive() && this.#options.current(slot);
        if (ours && slot.decoder !== null && this.#step(slot, slot.decoder)) continue;
        this.drop(slot);
        drained = true;
      }
    } finally {
      this.#pumping = false;
    }
    if (drained) this.#options.drained();
  }

  /** With nothing out there is always room: what is larger than the budget goes alone. */
  #hasRoom(): boolean {
    const { budget } = this.#options;
    return this.#delivered === 0 || budget.used < budget.max;
  }

  /** Hands out one run; false when the slot has no more. */
  #step(slot: PartitionSlot, decoder: RunDecoder): boolean {
    const before = decoder.remaining;
    let run: DecodedRun | null;
    try {
      run = decoder.next();
    } catch (error) {
      this.#options.budget.give(before - decoder.remaining);
      this.drop(slot);
      this.#options.bad(slot, error);
      return false;
    }
    this.#options.budget.give(before - decoder.remaining);
    if (run === null) return false;
    slot.position = run.next;
    slot.badReads = 0;
    this.#hand(slot, run);
    return slot.decoder === decoder;
  }

  #hand(slot: PartitionSlot, { records, from, next, viewsResponse }: DecodedRun): void {
    const key = slot.key;
    if (key === null) return;
    const { budget, memory } = this.#options;
    const bytes = recordsBytes(records);
    budget.add(bytes);
    if (viewsResponse) memory.hold(records.bytes);
    this.#delivered += bytes;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      this.#delivered -= bytes;
      budget.give(bytes);
      memory.release(records.bytes);
      this.pump();
    };
    this.#options.deliver({ records, from: [{ ...key, next: from }], next: [{ ...key, next }], supersedes: [], release });
  }
}
