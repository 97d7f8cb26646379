/**
 * Has V8 collect once the caller is done. Memory of WebAssembly lies outside of the heap, and V8 is in no hurry to collect it: an engine that was
 * given up would stay for hours. Does nothing without `--expose-gc`, which `bin/sluice` gives.
 */
export function collectSoon(): void {
  setImmediate(() => globalThis.gc?.());
}
