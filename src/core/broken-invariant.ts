/** A bug of ours: something that can't be is. Nothing catches it but the process's end. */
export class BrokenInvariant extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BrokenInvariant";
  }
}

/** Crashes with `message` where `holds` is false. */
export function demand(holds: boolean, message: string): asserts holds {
  if (!holds) throw new BrokenInvariant(message);
}
