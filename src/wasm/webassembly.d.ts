/** What of the WebAssembly JavaScript interface is used here; TypeScript declares it only together with a browser's document. */
declare namespace WebAssembly {
  class Memory {
    readonly buffer: ArrayBuffer;
    constructor(limits: { readonly initial: number; readonly maximum?: number });
    /** Adds pages of 64 KiB and detaches the old buffer. */
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
    static exports(module: Module): readonly { readonly name: string; readonly kind: string }[];
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
  }
}
